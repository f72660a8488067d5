/* Fuzz target of columns, for libFuzzer or with its own driver under ASan (-DSATCHEL_FUZZ_MAIN).
 *
 * Input: steps of four bytes (kind, offset, size, tail) behind their count, then a record. Checked besides memory: a
 * line is the same twice, and a record that is too short gives no more than the steps before. */
#include "columns.h"
#include "../fuzz.h"

enum { MOST = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t TEXT[] = "text", LAST[] = "\\Last";
    static uint8_t room[STRUCTURE_ROOM];
    lz4_dictionary known;
    unpacker u = {&known, room};
    piece choices[4] = {{NULL, 0}, {TEXT, 4}, {LAST, 5}, {TEXT, 1}}, record, entries[2];
    reader r = reader_of(data, size);
    step steps[MOST] = {{0}};
    size_t count = read_u8(&r) % (MOST + 1), i;
    writer once = {0}, twice = {0};
    uint8_t *copy;
    for (i = 0; i < count; i++) {
        step *s = &steps[i];
        s->kind = (enum step_kind)(read_u8(&r) % STEP_KINDS);
        s->offset = read_u8(&r);
        s->size = 1 + read_u8(&r) % 8;
        s->tail = read_u8(&r);
        s->mask = 3;
        s->choices = choices;
        s->column = s->tail & 1;
        if (s->kind == STEP_PIECE)
            s->offset %= STRUCTURE_PIECES;
        s->text = choices[s->offset & 3];
        s->other = choices[s->size & 3];
    }
    record.size = reader_left(&r);
    copy = (uint8_t *)malloc(record.size ? record.size : 1); /* so that reading beyond it is seen */
    REQUIRE(copy);
    if (record.size)
        memcpy(copy, data + r.pos, record.size);
    record.data = copy;
    REQUIRE(lz4_dictionary_make(&known, TEXT, sizeof TEXT));
    entries[0] = record;
    entries[1] = choices[1];
    REQUIRE(column_line(steps, count, size, &record, entries, &u, &once) ==
            column_line(steps, count, size, &record, entries, &u, &twice));
    REQUIRE(once.size == twice.size && !once.failed && (!once.size || memcmp(once.data, twice.data, once.size) == 0));
    writer_free(&once);
    writer_free(&twice);
    lz4_dictionary_free(&known);
    free(copy);
    return 0;
}
