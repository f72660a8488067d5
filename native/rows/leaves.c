#include "leaves.h"

void leaves_free(leaves *l)
{
    free(l->entries);
    writer_free(&l->keys);
    l->entries = NULL;
    l->count = l->capacity = 0;
}

static uint64_t head_of(const uint8_t *key, size_t size)
{
    uint64_t head = 0;
    size_t i;
    for (i = 0; i < 8; i++)
        head = head << 8 | (i < size ? key[i] : 0);
    return head;
}

static int compare(const leaves *l, const leaf *a, const uint8_t *key, size_t size, uint64_t head)
{
    size_t least = a->size < size ? a->size : size;
    int order;
    if (a->head != head)
        return a->head < head ? -1 : 1;
    order = least ? memcmp(l->keys.data + a->at, key, least) : 0;
    return order ? order : (a->size > size) - (a->size < size);
}

static int compare_leaves(const leaves *l, const leaf *a, const leaf *b)
{
    int order = compare(l, a, l->keys.data + b->at, b->size, b->head);
    if (order)
        return order;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->instance >> 1 > b->instance >> 1) - (a->instance >> 1 < b->instance >> 1);
}

static bool make_room(leaves *l)
{
    size_t grown;
    leaf *entries;
    if (l->count < l->capacity)
        return true;
    grown = l->capacity ? l->capacity + l->capacity / 2 : 64;
    if (grown > SIZE_MAX / sizeof *entries)
        return false;
    entries = (leaf *)realloc(l->entries, grown * sizeof *entries);
    if (entries == NULL)
        return false;
    l->entries = entries;
    l->capacity = grown;
    return true;
}

static bool make_leaf(leaves *l, leaf *made, const uint8_t *key, size_t size, const uint32_t *ends, uint64_t id,
                      uint32_t instance, bool unread)
{
    unsigned i;
    if (size > UINT32_MAX)
        return false;
    made->head = head_of(key, size);
    made->id = id;
    made->at = l->keys.size;
    made->size = (uint32_t)size;
    made->instance = instance << 1 | unread;
    write_bytes(&l->keys, key, size);
    for (i = 0; i < l->levels; i++)
        write_u32le(&l->keys, ends[i]);
    if (l->keys.failed) { /* what was there stays usable */
        l->keys.size = made->at;
        l->keys.failed = false;
        return false;
    }
    return true;
}

bool leaves_add(leaves *l, const uint8_t *key, size_t size, const uint32_t *ends, uint64_t id, uint32_t instance,
                bool unread)
{
    if (!make_room(l) || !make_leaf(l, &l->entries[l->count], key, size, ends, id, instance, unread))
        return false;
    l->count++;
    return true;
}

enum { RUN = 12 }; /* leaves that are sorted by insertion before runs are merged */

static void sort_run(const leaves *l, leaf *run, size_t count)
{
    size_t i, k;
    for (i = 1; i < count; i++) {
        leaf moved = run[i];
        for (k = i; k > 0 && compare_leaves(l, &run[k - 1], &moved) > 0; k--)
            run[k] = run[k - 1];
        run[k] = moved;
    }
}

/* Merge sort from below: stable, and quick on what is nearly in order. */
bool leaves_sort(leaves *l)
{
    size_t width, n = l->count, i;
    leaf *from = l->entries, *to, *spare;
    for (i = 1; i < n && compare_leaves(l, &from[i - 1], &from[i]) <= 0; i++)
        ;
    if (i >= n)
        return true;
    spare = (leaf *)malloc(n * sizeof *spare);
    if (spare == NULL)
        return false;
    to = spare;
    for (i = 0; i < n; i += RUN)
        sort_run(l, from + i, n - i < RUN ? n - i : RUN);
    for (width = RUN; width < n; width *= 2) {
        leaf *swap;
        for (i = 0; i < n; i += 2 * width) {
            size_t a = i, middle = i + width < n ? i + width : n, b = middle;
            size_t end = middle + width < n ? middle + width : n, k = i;
            if (b == end || compare_leaves(l, &from[b - 1], &from[b]) <= 0) { /* in order already */
                memcpy(to + i, from + i, (end - i) * sizeof *to);
                continue;
            }
            while (a < middle && b < end)
                to[k++] = compare_leaves(l, &from[a], &from[b]) <= 0 ? from[a++] : from[b++];
            while (a < middle)
                to[k++] = from[a++];
            while (b < end)
                to[k++] = from[b++];
        }
        swap = from;
        from = to;
        to = swap;
    }
    if (from != l->entries)
        memcpy(l->entries, from, n * sizeof *from);
    free(spare);
    return true;
}

size_t leaves_position(const leaves *l, const uint8_t *key, size_t size, bool whole, uint64_t id, uint32_t instance)
{
    size_t low = 0, high = l->count;
    uint64_t head = head_of(key, size);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const leaf *e = &l->entries[middle];
        int order = compare(l, e, key, size, head);
        if (order == 0 && whole)
            order = e->id != id ? (e->id < id ? -1 : 1) : (e->instance >> 1 < instance ? -1 : 0);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool leaves_insert(leaves *l, const uint8_t *key, size_t size, const uint32_t *ends, uint64_t id, uint32_t instance,
                   bool unread)
{
    size_t at = leaves_position(l, key, size, true, id, instance);
    leaf made;
    if (!make_room(l) || !make_leaf(l, &made, key, size, ends, id, instance, unread))
        return false;
    memmove(l->entries + at + 1, l->entries + at, (l->count - at) * sizeof *l->entries);
    l->entries[at] = made;
    l->count++;
    return true;
}

static void give_back(leaves *l)
{
    writer fresh = {0};
    size_t i;
    for (i = 0; i < l->count; i++)
        write_bytes(&fresh, leaf_key(l, i), (size_t)l->entries[i].size + 4 * (size_t)l->levels);
    if (fresh.failed) { /* another time */
        writer_free(&fresh);
        return;
    }
    fresh.size = 0;
    for (i = 0; i < l->count; i++) {
        l->entries[i].at = fresh.size;
        fresh.size += (size_t)l->entries[i].size + 4 * (size_t)l->levels;
    }
    writer_free(&l->keys);
    l->keys = fresh;
    l->waste = 0;
}

void leaves_forget(leaves *l, const uint64_t *ids, size_t count)
{
    size_t i, kept = 0;
    for (i = 0; i < l->count; i++) {
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (ids[middle] < l->entries[i].id)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < count && ids[low] == l->entries[i].id)
            l->waste += (size_t)l->entries[i].size + 4 * (size_t)l->levels;
        else
            l->entries[kept++] = l->entries[i];
    }
    l->count = kept;
    if (l->waste > 4096 && l->waste > l->keys.size / 2)
        give_back(l);
}

uint32_t leaf_end(const leaves *l, size_t index, unsigned level)
{
    const uint8_t *p = leaf_key(l, index) + l->entries[index].size + 4 * level;
    uint32_t end = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return end < l->entries[index].size ? end : l->entries[index].size;
}

bool leaves_same(const leaves *l, size_t one, size_t other, unsigned level)
{
    uint32_t a = leaf_end(l, one, level), b = leaf_end(l, other, level);
    return a == b && (a == 0 || memcmp(leaf_key(l, one), leaf_key(l, other), a) == 0);
}
