/* Fuzz target of row scanning, for libFuzzer or with its own driver under ASan (-DSATCHEL_FUZZ_MAIN).
 *
 * Input: five spans, each behind its length (16 bits): slot table, restriction program, key, hot row, cold row.
 * Checked besides memory: a row gives the same verdict twice, a packed row has its flag byte and is the same
 * whatever was expected of it, and leaves made of rows stay in order while they come and go. */
#include "leaves.h"
#include "rows.h"
#include "../fuzz.h"

static span copy_of(reader *r)
{
    span s = {NULL, read_u16le(r)};
    const uint8_t *p = read_bytes(r, s.size);
    uint8_t *copy;
    if (p == NULL)
        s.size = 0;
    copy = (uint8_t *)malloc(s.size ? s.size : 1); /* so that reading beyond it is seen */
    REQUIRE(copy);
    if (s.size)
        memcpy(copy, p, s.size);
    s.data = copy;
    return s;
}

static void check_order(const leaves *l)
{
    size_t i;
    for (i = 1; i < l->count; i++) {
        const leaf *e = &l->entries[i];
        REQUIRE(leaves_position(l, leaf_key(l, i), e->size, true, e->id, e->instance >> 1) <= i);
    }
}

static void keep_leaves(row *r, const slot_table *table, uint64_t id)
{
    leaves l = {0};
    writer key = {0};
    sort_column columns[8];
    uint32_t ends[8] = {0};
    uint64_t round;
    size_t count = table->count < 8 ? table->count : 8, i;
    for (i = 0; i < count; i++) {
        columns[i].slot = (uint16_t)i;
        columns[i].descending = (uint8_t)(i & 1);
    }
    l.levels = count > 1 ? 2 : 0;
    if (row_sort_key(r, table, columns, count, &key, ends) == VALUE_HERE) {
        for (i = 0; i < key.size; i++)
            REQUIRE(leaves_add(&l, key.data + i, key.size - i, ends, id + i % 3, (uint32_t)i, i & 1));
        REQUIRE(leaves_sort(&l));
        check_order(&l);
        for (round = 0; round < 3; round++) {
            uint64_t gone = id + round;
            REQUIRE(leaves_insert(&l, key.data, key.size, ends, gone + 7, 0, false));
            check_order(&l);
            leaves_forget(&l, &gone, 1);
            check_order(&l);
        }
        for (i = 1; l.levels && i < l.count; i++)
            leaves_same(&l, i - 1, i, 1);
    }
    leaves_free(&l);
    writer_free(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader r = reader_of(data, size);
    span slots = copy_of(&r), program = copy_of(&r), key = copy_of(&r), hot = copy_of(&r), cold = copy_of(&r);
    row_input input = {key, hot, cold};
    slot_table table;
    if (slots_read(&table, slots.data, slots.size)) {
        uint16_t columns[64];
        size_t count = table.count < 64 ? table.count : 64, i;
        writer out = {0}, again = {0};
        bool flagged = false, lacking = true;
        enum value_state packed;
        row first = row_of(&input), second = row_of(&input);
        column_list list = {&table, columns, count, size & 1};
        for (i = 0; i < count; i++)
            columns[i] = (uint16_t)i;
        if (program_check(program.data, program.size, table.count)) {
            int verdict = row_matches(&first, &table, program.data, program.size);
            REQUIRE(verdict >= 0 && verdict <= 2);
            REQUIRE(verdict == row_matches(&second, &table, program.data, program.size));
        }
        packed = row_pack(&first, &list, &out, &flagged);
        REQUIRE(packed == VALUE_HERE ? out.size >= 1 && out.data[0] <= 1 : out.size == 0);
        REQUIRE(row_pack(&second, &list, &again, &lacking) == packed);
        REQUIRE(again.size == out.size && (out.size == 0 || memcmp(again.data, out.data, out.size) == 0));
        writer_free(&out);
        writer_free(&again);
        keep_leaves(&first, &table, key.size == ROW_KEY ? row_id(&input) : 1);
        slots_free(&table);
    }
    free((void *)slots.data);
    free((void *)program.data);
    free((void *)key.data);
    free((void *)hot.data);
    free((void *)cold.data);
    return 0;
}
