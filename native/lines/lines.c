#include "lines.h"

#include <string.h>

enum { END_REST = 3 }; /* of the end, behind its first line end: "." CR LF */

/* Whether a CR stands between `at` and `stop`, where a line end begins or the data ends. */
static bool has_cr(const uint8_t *data, size_t at, size_t stop)
{
    return stop > at && memchr(data + at, '\r', stop - at) != NULL;
}

lines_found lines_look(const uint8_t *data, size_t size)
{
    lines_found found = {LINES_NO_END, false, false};
    size_t at = 0;
    while (at < size) {
        const uint8_t *lf = (const uint8_t *)memchr(data + at, '\n', size - at);
        size_t stop = lf ? (size_t)(lf - data) : size;
        if (lf == NULL) {
            found.bare = found.bare || has_cr(data, at, data[size - 1] == '\r' ? size - 1 : size);
            break;
        }
        if (stop == at || data[stop - 1] != '\r') {
            found.bare = true;
            at = stop + 1;
            continue;
        }
        found.bare = found.bare || has_cr(data, at, stop - 1);
        at = stop + 1;
        if (at < size && data[at] == '.') {
            if (size - at >= END_REST && data[at + 1] == '\r' && data[at + 2] == '\n') {
                found.end = stop - 1;
                break;
            }
            found.dots = true;
        }
    }
    return found;
}

bool lines_bare(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        const uint8_t *lf = (const uint8_t *)memchr(data + at, '\n', size - at);
        size_t stop = lf ? (size_t)(lf - data) : size;
        if (lf == NULL)
            return has_cr(data, at, size);
        if (stop == at || data[stop - 1] != '\r' || has_cr(data, at, stop - 1))
            return true;
        at = stop + 1;
    }
    return false;
}
