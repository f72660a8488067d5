/* Fuzz target of FastTransfer streams: any bytes are cut in windows that the first byte chooses, each cut goes
 * on where the last one ended; what cannot be cut in a small window can be in a large one. */
#include "../fuzz.h"
#include "fasttransfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fx_place place = {0, 0, 0, 0}, whole = {0, 0, 0, 0};
    size_t window, at = 0, all = 0, ends;
    uint32_t found = 0;
    fx_status status = FX_GOOD;
    writer w = {0};
    if (size < 1)
        return 0;
    window = 1 + data[0];
    data++;
    size--;
    ends = size;
    if (fx_cut(data, &all, size, &whole, &found) != FX_GOOD)
        ends = all;
    while (status == FX_GOOD && at < size) {
        size_t next = at, end = size - at < window ? size : at + window;
        status = fx_cut(data, &next, end, &place, &found);
        REQUIRE(next >= at && next <= size);
        if (next == at) {
            if (end == size)
                break;
            window *= 2;
        }
        at = next;
    }
    REQUIRE(at <= ends + 20);
    fx_write_text(&w, data, size);
    writer_free(&w);
    return 0;
}
