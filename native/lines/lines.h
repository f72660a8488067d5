/* Lines of text on the wire: where DATA ends, which line ends stand alone, which lines begin with a dot. The rules stand
 * in appliance/formats/lines. Nothing here needs Python.h. */
#ifndef SATCHEL_LINES_H
#define SATCHEL_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_NO_END SIZE_MAX

typedef struct {
    size_t end; /* of the text: where CR LF "." CR LF begins, LINES_NO_END without */
    bool bare;  /* a CR or LF before it stands alone; a CR at the end of the data does not count */
    bool dots;  /* a line before it, behind a CR LF, begins with a dot */
} lines_found;

lines_found lines_look(const uint8_t *data, size_t size);

/* Whether a CR or LF stands alone; a CR at the end does. */
bool lines_bare(const uint8_t *data, size_t size);

#endif
