/* Recipients of a message as RopOpenMessage shows them (MS-OXCDATA 2.8.3), from their packed bags.
 *
 * The same bytes as appliance/rop/recipients.py, or nothing: then that decides. What is left to it: personal
 * distribution lists, text that is not ASCII where a code page matters, values that do not fit, damaged bags. */
#ifndef SATCHEL_RECIPIENTS_H
#define SATCHEL_RECIPIENTS_H

#include "../rows/values.h"

enum { MAX_RECIPIENT_COLUMNS = 64 };

typedef struct {
    uint32_t tags[MAX_RECIPIENT_COLUMNS]; /* ascending */
    size_t count;
} recipient_columns;

/* Adds the columns that a recipient has. False: too many. */
bool recipient_add_columns(recipient_columns *columns, const bag *b);

/* Appends an OpenRecipientRow (MS-OXCROPS 2.2.6.1.2.1). False: left to Python, `out` is to be thrown away. */
bool recipient_put(writer *out, const bag *b, const recipient_columns *columns, uint16_t code_page);

#endif
