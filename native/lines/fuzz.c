/* Fuzz target of the lines, for libFuzzer or with its own driver under ASan (-DSATCHEL_FUZZ_MAIN). Checked besides
 * memory: the same answers byte by byte. */
#define FUZZ_WORDS "\r\n", "\r", "\n", ".", "\r\n.\r\n", "\r\n.", "..", "\r\n\r\n"
#include "lines.h"
#include "../fuzz.h"

/* Whether the byte at `at` is a CR or LF without its other half; `open`: a CR at the end has one to come. */
static bool alone(const uint8_t *data, size_t size, size_t at, bool open)
{
    if (data[at] == '\n')
        return at == 0 || data[at - 1] != '\r';
    if (data[at] == '\r')
        return at + 1 == size ? !open : data[at + 1] != '\n';
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = (uint8_t *)calloc(size ? size : 1, 1); /* so that reading beyond it is seen */
    lines_found found, slow = {LINES_NO_END, false, false};
    bool bare = false;
    size_t i;
    REQUIRE(copy);
    if (size)
        memcpy(copy, data, size);
    found = lines_look(copy, size);
    for (i = 0; i + 5 <= size && slow.end == LINES_NO_END; i++)
        if (memcmp(data + i, "\r\n.\r\n", 5) == 0)
            slow.end = i;
    for (i = 0; i < (slow.end == LINES_NO_END ? size : slow.end); i++) {
        slow.bare = slow.bare || alone(data, size, i, true);
        slow.dots = slow.dots || (i + 3 <= size && memcmp(data + i, "\r\n.", 3) == 0);
    }
    REQUIRE(found.end == slow.end && found.bare == slow.bare && found.dots == slow.dots);
    for (i = 0; i < size; i++)
        bare = bare || alone(data, size, i, false);
    REQUIRE(lines_bare(copy, size) == bare);
    free(copy);
    return 0;
}
