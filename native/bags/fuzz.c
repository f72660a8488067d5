/* Fuzz target of packed bags, for libFuzzer or with its own driver under ASan (-DSATCHEL_FUZZ_MAIN).
 *
 * Checked besides memory: what `bag_find` gives lies within the bag, and a bag whose every step is good is
 * found again tag by tag. The driver takes files and mutates each: fuzz ROUNDS SEED FILE... */
#include "bags.h"
#include "../fuzz.h"

static void look(const bag *b, uint32_t tag)
{
    bag_place place;
    bag_problem problem;
    bag_form form = bag_form_of((uint16_t)tag);
    uint64_t sum = 0;
    size_t i, start, end;
    if (!bag_find(b, tag, &place, &problem)) {
        REQUIRE(problem.at <= b->size);
        return;
    }
    REQUIRE(place.start <= place.end && place.end <= b->size);
    if (!bag_check_value(b, (uint16_t)tag, &place, &problem)) {
        REQUIRE(problem.at <= b->size);
        return;
    }
    if (form.multiple && form.size == 0)
        for (i = 0; i < bag_number(b->data + place.start, 4); i++) {
            bag_item(b, &place, i, &start, &end);
            REQUIRE(start <= end && end <= place.end);
            for (; start < end; start++)
                sum += b->data[start];
        }
    REQUIRE(sum < UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = (uint8_t *)malloc(size ? size : 1); /* so that reading beyond it is seen */
    bag b;
    bag_problem problem;
    bag_place place;
    REQUIRE(copy);
    memcpy(copy, data, size);
    if (bag_open(&b, copy, size, &problem)) {
        size_t i, at = b.base;
        int64_t last = -1;
        bool good = bag_check_length(&b, &problem);
        for (i = 0; i < b.count; i++)
            look(&b, bag_tag(&b, i));
        look(&b, 0x0037001F);
        for (i = 0; good && i < b.count; i++) {
            bag_place found;
            good = bag_step(&b, i, last, at, &place, &problem);
            if (!good)
                break;
            last = bag_tag(&b, i);
            at = place.end;
            REQUIRE(bag_find(&b, (uint32_t)last, &found, &problem));
            REQUIRE(found.start == place.start && found.end == place.end);
        }
        REQUIRE(good || problem.at <= size);
    } else {
        REQUIRE(problem.at <= size);
    }
    free(copy);
    return 0;
}
