#include "bags.h"

static bool refuse(bag_problem *p, enum bag_fault fault, size_t at, uint64_t found, uint64_t wanted)
{
    p->fault = fault;
    p->at = at;
    p->found = found;
    p->wanted = wanted;
    return false;
}

bag_form bag_form_of(uint16_t type)
{
    bag_form form = {BAG_NONE, 0, (type & 0x1000) != 0};
    switch (type & 0xEFFF) {
    case 0x0002: form.shape = BAG_SIGNED, form.size = 2; break;
    case 0x0003: form.shape = BAG_SIGNED, form.size = 4; break;
    case 0x0004: form.shape = BAG_FLOAT, form.size = 4; break;
    case 0x0005:
    case 0x0007: form.shape = BAG_FLOAT, form.size = 8; break;
    case 0x0006:
    case 0x0014: form.shape = BAG_SIGNED, form.size = 8; break;
    case 0x001F: form.shape = BAG_TEXT; break;
    case 0x0040: form.shape = BAG_UNSIGNED, form.size = 8; break;
    case 0x0048: form.shape = BAG_GUID, form.size = 16; break;
    case 0x0102: form.shape = BAG_BYTES; break;
    default: break;
    }
    if (form.shape == BAG_NONE && !form.multiple) {
        switch (type) {
        case 0x0001: form.shape = BAG_NULL; break;
        case 0x000A: form.shape = BAG_UNSIGNED, form.size = 4; break;
        case 0x000B: form.shape = BAG_BOOLEAN, form.size = 1; break;
        case 0x000D:
        case 0x00FB:
        case 0x00FD:
        case 0x00FE: form.shape = BAG_BYTES; break;
        default: break;
        }
    }
    return form;
}

bool bag_open(bag *b, const uint8_t *data, size_t size, bag_problem *problem)
{
    problem->fault = BAG_GOOD;
    if (size < BAG_HEADER)
        return refuse(problem, BAG_BAD_HEADER, size, 0, 0);
    if (data[0] != BAG_VERSION)
        return refuse(problem, BAG_BAD_VERSION, 0, data[0], 0);
    if (data[1] != 2 && data[1] != 4)
        return refuse(problem, BAG_BAD_WIDTH, 1, 0, 0);
    b->data = data;
    b->size = size;
    b->width = data[1];
    b->count = (size_t)(data[2] | data[3] << 8);
    b->base = BAG_HEADER + (4 + (size_t)b->width) * b->count;
    if (b->base > size)
        return refuse(problem, BAG_BAD_TABLE, size, 0, 0);
    return true;
}

static const uint8_t *end_at(const bag *b, size_t index)
{
    return b->data + BAG_HEADER + 4 * b->count + b->width * index;
}

bool bag_find(const bag *b, uint32_t tag, bag_place *place, bag_problem *problem)
{
    size_t i;
    problem->fault = BAG_GOOD;
    problem->at = 0;
    for (i = 0; i < b->count; i++)
        if (bag_tag(b, i) == tag)
            break;
    if (i == b->count)
        return false;
    place->tag_at = BAG_HEADER + 4 * i;
    place->start = b->base + (i ? bag_number(end_at(b, i - 1), b->width) : 0);
    place->end = b->base + bag_number(end_at(b, i), b->width);
    if (place->start > place->end || place->end > b->size)
        return refuse(problem, BAG_BAD_ENDS, (size_t)(end_at(b, i) - b->data), 0, 0);
    return true;
}

static bool check_varying(const bag *b, const bag_place *place, bag_problem *problem)
{
    size_t size = place->end - place->start, count, base, i, at = 0, room;
    const uint8_t *ends;
    if (size < 4)
        return refuse(problem, BAG_NO_COUNT, place->start, 0, 0);
    count = bag_number(b->data + place->start, 4);
    if (count > (size - 4) / 4)
        return refuse(problem, BAG_BAD_COUNT, place->start, 0, 0);
    ends = b->data + place->start + 4;
    base = place->start + 4 + 4 * count;
    room = place->end - base;
    if ((count ? bag_number(ends + 4 * (count - 1), 4) : 0) != room)
        return refuse(problem, BAG_BAD_FILL, place->start, 0, 0);
    for (i = 0; i < count; i++) {
        size_t stop = bag_number(ends + 4 * i, 4);
        if (stop < at || stop > room)
            return refuse(problem, BAG_BAD_MULTIPLE_ENDS, place->start + 4 + 4 * i, 0, 0);
        at = stop;
    }
    return true;
}

bool bag_check_value(const bag *b, uint16_t type, const bag_place *place, bag_problem *problem)
{
    bag_form form = bag_form_of(type);
    size_t size = place->end - place->start;
    problem->fault = BAG_GOOD;
    if (form.shape == BAG_NONE)
        return refuse(problem, BAG_BAD_TYPE, place->tag_at, type, 0);
    if (form.multiple) {
        if (form.size == 0)
            return check_varying(b, place, problem);
        if (size % form.size)
            return refuse(problem, BAG_BAD_MULTIPLE, place->start, size, form.size);
        return true;
    }
    if ((form.size || form.shape == BAG_NULL) && size != form.size)
        return refuse(problem, BAG_BAD_SIZE, place->start, size, form.size);
    if (form.shape == BAG_BOOLEAN && b->data[place->start] > 1)
        return refuse(problem, BAG_BAD_BOOLEAN, place->start, 0, 0);
    return true;
}

bool bag_check_length(const bag *b, bag_problem *problem)
{
    size_t total = b->count ? bag_number(end_at(b, b->count - 1), b->width) : 0;
    problem->fault = BAG_GOOD;
    if (total != b->size - b->base)
        return refuse(problem, BAG_BAD_LENGTH, total < b->size - b->base ? b->base + total : b->size, 0, 0);
    if ((b->width == 4) != (total > 0xFFFF))
        return refuse(problem, BAG_BAD_WIDTH, 1, 0, 0);
    return true;
}

bool bag_step(const bag *b, size_t index, int64_t last, size_t at, bag_place *place, bag_problem *problem)
{
    problem->fault = BAG_GOOD;
    place->tag_at = BAG_HEADER + 4 * index;
    place->start = at;
    place->end = b->base + bag_number(end_at(b, index), b->width);
    if ((int64_t)bag_tag(b, index) <= last)
        return refuse(problem, BAG_BAD_ORDER, place->tag_at, 0, 0);
    if (place->end < at || place->end > b->size)
        return refuse(problem, BAG_BAD_ENDS, (size_t)(end_at(b, index) - b->data), 0, 0);
    return true;
}
