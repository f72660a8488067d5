/* Fuzz target of packed structures, for libFuzzer or with its own driver under ASan (-DSATCHEL_FUZZ_MAIN).
 *
 * Any bytes are unpacked as a row, and judged as an envelope; then they are compressed with a dictionary of themselves
 * and must come back, whole and in part. */
#include "structures.h"
#include "../fuzz.h"

static void take_apart(const lz4_dictionary *d, const uint8_t *row, size_t size)
{
    static uint8_t room[STRUCTURE_ROOM];
    structure s;
    size_t where;
    enum lz4_status problem;
    int piece;
    if (structure_open(&s, row, size, &where) != STRUCTURE_GOOD) {
        REQUIRE(where <= size);
        return;
    }
    for (piece = 0; piece < STRUCTURE_PIECES; piece++)
        if (structure_unpack(&s, d, (enum structure_piece)piece, room, &problem, &where) != STRUCTURE_GOOD)
            REQUIRE(where <= s.block_size);
}

static void judge(const uint8_t *envelope, size_t size)
{
    static const uint8_t KEY[] = "a";
    writer text = {0};
    unsigned member;
    for (member = 1; member < 8; member++)
        REQUIRE(envelope_judge(envelope, size, member, KEY, 1, &text) <= VERDICT_UNKNOWN);
    writer_free(&text);
}

static void both_ways(const lz4_dictionary *d, const uint8_t *data, size_t size)
{
    writer packed = {0};
    size_t where, wanted, n = size < LZ4_BLOCK_MOST ? size : LZ4_BLOCK_MOST;
    REQUIRE(lz4_compress(d, data, n, &packed));
    for (wanted = 0; wanted <= n; wanted += 1 + (n - wanted) / 3) {
        uint8_t *out = (uint8_t *)malloc(wanted + 1); /* so that writing beyond it is seen */
        REQUIRE(out);
        REQUIRE(lz4_decompress(d, packed.data, packed.size, out, wanted, n, wanted, &where) == LZ4_GOOD);
        REQUIRE(memcmp(out, data, wanted) == 0);
        free(out);
    }
    writer_free(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = (uint8_t *)malloc(size ? size : 1); /* so that reading beyond it is seen */
    lz4_dictionary own, empty;
    REQUIRE(copy);
    if (size)
        memcpy(copy, data, size);
    REQUIRE(lz4_dictionary_make(&own, data, size < 500 ? size : 500));
    REQUIRE(lz4_dictionary_make(&empty, data, 0));
    take_apart(&own, copy, size);
    take_apart(&empty, copy, size);
    judge(copy, size);
    both_ways(&own, copy, size);
    both_ways(&empty, copy, size);
    lz4_dictionary_free(&own);
    lz4_dictionary_free(&empty);
    free(copy);
    return 0;
}
