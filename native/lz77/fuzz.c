/* Fuzz target of LZ77, for libFuzzer or with its own driver under ASan (-DSATCHEL_FUZZ_MAIN).
 *
 * Any bytes are decompressed to a size that the first two choose; then they are compressed and must come
 * back. */
#include "lz77.h"
#include "../fuzz.h"

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
