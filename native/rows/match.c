/* Restrictions over rows: the same verdicts as appliance/mapi/matching.py. */
#include "values.h"

static bool related(unsigned relation, int order)
{
    switch (relation) {
    case 0: return order < 0;
    case 1: return order <= 0;
    case 2: return order > 0;
    case 3: return order >= 0;
    case 4: return order == 0;
    case 5: return order != 0;
    default: return false;
    }
}

static int compare_numbers(uint64_t a, bool a_unsigned, uint64_t b, bool b_unsigned)
{
    bool a_negative = !a_unsigned && a >> 63, b_negative = !b_unsigned && b >> 63;
    if (a_negative != b_negative)
        return a_negative ? -1 : 1;
    return (a > b) - (a < b); /* two's complement keeps the order within one sign */
}

static int compare_bytes(span a, span b, bool fold)
{
    size_t least = a.size < b.size ? a.size : b.size, i;
    if (!fold) {
        int order = least ? memcmp(a.data, b.data, least) : 0;
        return order ? order : (a.size > b.size) - (a.size < b.size);
    }
    for (i = 0; i < least; i++) {
        uint8_t one = lower(a.data[i]);
        if (one != b.data[i])
            return one < b.data[i] ? -1 : 1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

static bool related_floats(unsigned relation, double a, double b)
{
    switch (relation) {
    case 0: return a < b;
    case 1: return a <= b;
    case 2: return a > b;
    case 3: return a >= b;
    case 4: return a == b;
    case 5: return a != b;
    default: return false;
    }
}

/* The operands of a comparison with a constant. */
typedef struct {
    unsigned op, relation, level, ignore;
    uint64_t bits;
    bool is_unsigned, is_text;
    double number;
    span bytes;
} constant_test;

static bool starts(span text, span wanted, bool fold, size_t at)
{
    size_t i;
    if (wanted.size > text.size - at)
        return false;
    if (!fold)
        return wanted.size == 0 || memcmp(text.data + at, wanted.data, wanted.size) == 0;
    for (i = 0; i < wanted.size; i++)
        if (lower(text.data[at + i]) != wanted.data[i])
            return false;
    return true;
}

static bool contains(const uint8_t *text, size_t size, span wanted)
{
    const uint8_t *stop = text + size - wanted.size + 1;
    for (; text < stop && (text = (const uint8_t *)memchr(text, wanted.data[0], (size_t)(stop - text))); text++)
        if (memcmp(text, wanted.data, wanted.size) == 0)
            return true;
    return false;
}

static int content(const value *v, const constant_test *t)
{
    bool fold = t->ignore & 1;
    uint8_t folded[512];
    size_t at;
    if (v->form.shape != BAG_TEXT && v->form.shape != BAG_BYTES && v->form.shape != BAG_GUID)
        return 0;
    if ((v->form.shape == BAG_TEXT) != t->is_text)
        return 0;
    if (t->is_text && !is_ascii(v->bytes))
        return 2;
    if (t->level == 2)
        return starts(v->bytes, t->bytes, fold, 0);
    if (t->level != 1)
        return v->bytes.size == t->bytes.size && starts(v->bytes, t->bytes, fold, 0);
    if (t->bytes.size == 0 || t->bytes.size > v->bytes.size)
        return t->bytes.size == 0;
    if (v->bytes.size <= sizeof folded) {
        for (at = 0; at < v->bytes.size; at++) /* which the compiler turns into vector code */
            folded[at] = fold ? lower(v->bytes.data[at]) : v->bytes.data[at];
        return contains(folded, v->bytes.size, t->bytes);
    }
    for (at = 0; at + t->bytes.size <= v->bytes.size; at++)
        if (starts(v->bytes, t->bytes, fold, at))
            return 1;
    return 0;
}

static int test_one(const value *v, const constant_test *t)
{
    switch (t->op) {
    case OP_NUMBER:
        if (!is_number(v))
            return 2;
        return related(t->relation, compare_numbers(v->bits, v->form.shape != BAG_SIGNED, t->bits, t->is_unsigned));
    case OP_FLOAT: return v->form.shape == BAG_FLOAT ? related_floats(t->relation, v->number, t->number) : 2;
    case OP_TEXT:
        if (v->form.shape != BAG_TEXT || !is_ascii(v->bytes))
            return 2;
        return related(t->relation, compare_bytes(v->bytes, t->bytes, true));
    case OP_BINARY:
        if (v->form.shape != BAG_BYTES && v->form.shape != BAG_GUID)
            return 2;
        return related(t->relation, compare_bytes(v->bytes, t->bytes, false));
    default: return content(v, t);
    }
}

static int test_any(const value *v, const constant_test *t)
{
    size_t count, i;
    int result = 0;
    if (v->state == VALUE_ASK)
        return 2;
    if (v->state == VALUE_NONE)
        return 0;
    if (!v->form.multiple)
        return test_one(v, t);
    count = value_count(v);
    for (i = 0; i < count; i++) {
        value one = value_item(v, i);
        int each = test_one(&one, t);
        if (each == 1)
            return 1;
        result = each > result ? each : result;
    }
    return result;
}

static bool value_size(const value *v, uint64_t *size)
{
    size_t count = value_count(v), i;
    *size = 0;
    for (i = 0; i < count; i++) {
        value one = value_item(v, i);
        if (one.form.shape == BAG_TEXT) {
            size_t at = 0;
            while (at < one.bytes.size) {
                uint32_t c;
                size_t n = value_utf8_next(one.bytes.data + at, one.bytes.size - at, &c);
                if (n == 0)
                    return false;
                *size += c > 0xFFFF ? 4 : 2;
                at += n;
            }
        } else {
            *size += one.form.shape == BAG_BYTES ? one.bytes.size : one.form.size;
        }
    }
    return true;
}

static int compare_values(const value *a, const value *b, unsigned relation)
{
    if (a->state == VALUE_ASK || b->state == VALUE_ASK)
        return 2;
    if (a->state == VALUE_NONE || b->state == VALUE_NONE)
        return 0;
    if (a->form.multiple || b->form.multiple)
        return 2;
    if (is_number(a) && is_number(b))
        return related(relation, compare_numbers(a->bits, a->form.shape != BAG_SIGNED, b->bits, b->form.shape != BAG_SIGNED));
    if (a->form.shape == BAG_FLOAT && b->form.shape == BAG_FLOAT)
        return related_floats(relation, a->number, b->number);
    if (a->form.shape == BAG_TEXT && b->form.shape == BAG_TEXT && is_ascii(a->bytes) && is_ascii(b->bytes)) {
        size_t least = a->bytes.size < b->bytes.size ? a->bytes.size : b->bytes.size, i;
        for (i = 0; i < least; i++) {
            uint8_t one = lower(a->bytes.data[i]), other = lower(b->bytes.data[i]);
            if (one != other)
                return related(relation, one < other ? -1 : 1);
        }
        return related(relation, (a->bytes.size > b->bytes.size) - (a->bytes.size < b->bytes.size));
    }
    if (a->form.shape == BAG_BYTES && b->form.shape == BAG_BYTES)
        return related(relation, compare_bytes(a->bytes, b->bytes, false));
    return 2;
}

static span read_span(reader *p)
{
    span s;
    s.size = read_u16le(p);
    s.data = read_bytes(p, s.size);
    return s;
}

/* Runs (r not NULL) or only reads (r NULL) one operation; 0, 1, 2, or -1 for a program that is none. */
static int step(reader *p, row *r, const slot_table *table, size_t slots, unsigned depth)
{
    unsigned op = read_u8(p), parts;
    uint64_t size;
    size_t one, other;
    value v, w;
    constant_test t;
    int result, each;
    if (depth > MAX_PROGRAM_DEPTH || p->failed)
        return -1;
    switch (op) {
    case OP_AND:
    case OP_OR:
        result = op == OP_AND;
        for (parts = read_u16le(p); parts && !p->failed; parts--) {
            /* once it is decided, the rest is only read */
            each = step(p, result == (op == OP_OR) ? NULL : r, table, slots, depth + 1);
            if (each < 0)
                return -1;
            if (r == NULL || result == (op == OP_OR))
                continue;
            if (each == (op == OP_OR))
                result = each;
            else if (each == 2)
                result = 2;
        }
        return p->failed ? -1 : result;
    case OP_NOT:
        each = step(p, r, table, slots, depth + 1);
        return each < 0 || each == 2 ? each : !each;
    case OP_TRUE: return 1;
    case OP_FALSE: return 0;
    case OP_ASK: return 2;
    default: break;
    }
    memset(&t, 0, sizeof t);
    t.op = op;
    one = read_u16le(p);
    other = one;
    if (op == OP_CONTENT) {
        t.level = read_u8(p);
        t.ignore = read_u8(p);
        t.is_text = read_u8(p) != 0;
    } else if (op != OP_EXIST) {
        t.relation = read_u8(p);
    }
    switch (op) {
    case OP_EXIST: break;
    case OP_BIT_MASK:
    case OP_SIZE: t.bits = read_u64le(p); break;
    case OP_NUMBER:
        t.bits = read_u64le(p);
        t.is_unsigned = read_u8(p) != 0;
        break;
    case OP_FLOAT:
        t.bits = read_u64le(p);
        memcpy(&t.number, &t.bits, 8);
        break;
    case OP_TEXT:
    case OP_BINARY:
    case OP_CONTENT: t.bytes = read_span(p); break;
    case OP_COMPARE: other = read_u16le(p); break;
    default: return -1;
    }
    if (p->failed || one >= slots || other >= slots)
        return -1;
    if (r == NULL)
        return 0;
    v = row_value(r, table, one);
    switch (op) {
    case OP_EXIST: return v.state == VALUE_ASK ? 2 : v.state == VALUE_HERE;
    case OP_BIT_MASK:
        if (v.state != VALUE_HERE)
            return v.state == VALUE_ASK ? 2 : 0;
        return !v.form.multiple && is_number(&v) && ((v.bits & t.bits) != 0) == (t.relation != 0);
    case OP_SIZE:
        if (v.state != VALUE_HERE)
            return v.state == VALUE_ASK ? 2 : 0;
        if (table->slots[one].source != SLOT_BAG && v.form.shape != BAG_TEXT)
            size = bag_form_of((uint16_t)table->slots[one].tag).size;
        else if (!value_size(&v, &size))
            return 2;
        return related(t.relation, (size > t.bits) - (size < t.bits));
    case OP_COMPARE:
        w = row_value(r, table, other);
        return compare_values(&v, &w, t.relation);
    default: return test_any(&v, &t);
    }
}

bool program_check(const uint8_t *program, size_t size, size_t slots)
{
    reader p = reader_of(program, size);
    return step(&p, NULL, NULL, slots, 0) >= 0 && reader_left(&p) == 0;
}

int row_matches(row *r, const slot_table *table, const uint8_t *program, size_t size)
{
    reader p = reader_of(program, size);
    int result = step(&p, r, table, table->count, 0);
    return result < 0 ? 2 : result;
}
