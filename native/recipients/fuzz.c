/* Fuzz target of recipient rows: up to four bags, each behind its length (16 bits). A row that is made has the
 * size that it names. */
#include "recipients.h"
#include "../fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader input = reader_of(data, size);
    recipient_columns columns = {{0}, 0};
    bag bags[4];
    bag_problem problem;
    size_t count = 0, i;
    while (count < 4) {
        size_t length = read_u16le(&input);
        const uint8_t *raw = read_bytes(&input, length);
        if (raw == NULL || !bag_open(&bags[count], raw, length, &problem))
            break;
        if (!recipient_add_columns(&columns, &bags[count++]))
            return 0;
    }
    for (i = 1; i < columns.count; i++)
        REQUIRE(columns.tags[i - 1] < columns.tags[i]);
    for (i = 0; i < count; i++) {
        writer out = {0};
        if (recipient_put(&out, &bags[i], &columns, 1252))
            REQUIRE(out.size > 7 && (size_t)(out.data[5] | out.data[6] << 8) == out.size - 7);
        writer_free(&out);
    }
    return 0;
}
