/* A glimpse at the raw bytes of a message: whether they prove that a key stands in its text, or that it does not. The
 * rules stand in appliance/mailbox/search/glimpse.py, which knows more encodings and types; what is answered here it
 * answers the same. Nothing here needs Python.h. */
#ifndef SATCHEL_GLIMPSE_H
#define SATCHEL_GLIMPSE_H

#include "../cursor.h"

typedef struct {
    const uint8_t *data;
    size_t size;
} mime_span;

enum glimpse_verdict { GLIMPSE_NO, GLIMPSE_YES, GLIMPSE_UNKNOWN };

/* `table` is the packed table of parts of `raw`, `head` are trace fields before it. The key is printable ASCII in lower
 * case. With `header` the header counts too. `room` is for decoded text; a failed allocation gives unknown. */
enum glimpse_verdict mime_glimpse(mime_span table, mime_span head, mime_span raw, mime_span key, bool header,
                                  writer *room);

#endif
