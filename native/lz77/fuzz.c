/* Fuzz target of LZ77, for libFuzzer or with its own driver under ASan (-DSATCHEL_FUZZ_MAIN).
 *
 * Any bytes are decompressed to a size that the first two choose; then they are compressed and must come
 * back. The driver takes files and mutates each: fuzz ROUNDS SEED FILE... */
#include <stdio.h>

#include "lz77.h"

#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "failed: %s (line %d)\n", #condition, __LINE__); \
            abort(); \
        } \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    writer packed = {0};
    size_t announced, where = 0;
    uint8_t *out;
    if (size < 2)
        return 0;
    announced = (size_t)(data[0] | data[1] << 8);
    out = (uint8_t *)malloc(announced + 1);
    REQUIRE(out);
    lz77_decompress(data + 2, size - 2, out, announced, &where);
    REQUIRE(where <= size - 2);
    free(out);
    REQUIRE(lz77_compress(data, size, &packed));
    out = (uint8_t *)malloc(size);
    REQUIRE(out);
    REQUIRE(lz77_decompress(packed.data, packed.size, out, size, &where) == LZ77_GOOD);
    REQUIRE(memcmp(out, data, size) == 0);
    free(out);
    writer_free(&packed);
    return 0;
}

#ifdef SATCHEL_FUZZ_MAIN
static uint64_t state;

static uint32_t next_random(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

int main(int argc, char **argv)
{
    static uint8_t seed[1 << 16];
    long rounds = argc > 2 ? atol(argv[1]) : 0, n;
    int i;
    state = argc > 2 ? (uint64_t)atoll(argv[2]) : 1;
    for (i = 3; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        size_t size = file ? fread(seed, 1, sizeof seed, file) : 0;
        if (file)
            fclose(file);
        for (n = 0; n < rounds && size; n++) {
            size_t cut = 1 + next_random() % size, k;
            uint8_t *copy = (uint8_t *)malloc(cut);
            REQUIRE(copy);
            memcpy(copy, seed, cut);
            for (k = next_random() % 8; k; k--)
                copy[next_random() % cut] = (uint8_t)next_random();
            LLVMFuzzerTestOneInput(copy, cut);
            free(copy);
        }
    }
    return 0;
}
#endif
