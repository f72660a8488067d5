/* Python binding of row scanning: appliance.store.tables._native, stable ABI of 3.11.
 *
 * Rows come as three lists of equal length: keys and values of hot rows, cold values (None: not there).
 *   select(slots, program, keys, hots, colds) -> bytes, one a row: 0 no, 1 yes, 2 ask
 *   pack_rows(slots, columns, keys, hots, colds, start, limit) -> (rows, next, full)
 *   Leaves(levels): the sorted array, with scan(slots, program, columns, keys, hots, colds) -> indexes to ask
 * The GIL is released over each list of rows. Leaves in use in another thread raise RuntimeError. Errors:
 * ValueError for tables, programs and columns that are none; MemoryError. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "leaves.h"
#include "rows.h"

/* ---- arguments */

typedef struct {
    row_input *rows;
    Py_ssize_t count;
    PyObject *held; /* keeps the bytes alive while the GIL is away */
} batch;

static int span_of(PyObject *object, span *s)
{
    char *data;
    Py_ssize_t size;
    s->data = NULL;
    s->size = 0;
    if (object == Py_None)
        return 0;
    if (PyBytes_AsStringAndSize(object, &data, &size) < 0)
        return -1;
    s->data = (const uint8_t *)data;
    s->size = (size_t)size;
    return 0;
}

static void batch_free(batch *b)
{
    PyMem_Free(b->rows);
    Py_CLEAR(b->held);
    b->rows = NULL;
}

static int batch_of(batch *b, PyObject *keys, PyObject *hots, PyObject *colds)
{
    PyObject *lists[3] = {keys, hots, colds}, *tuples[3] = {NULL, NULL, NULL};
    Py_ssize_t i;
    int k, result = 0;
    memset(b, 0, sizeof *b);
    for (k = 0; k < 3; k++) {
        tuples[k] = PySequence_Tuple(lists[k]);
        if (tuples[k] == NULL)
            result = -1;
    }
    if (result == 0) {
        b->count = PyTuple_Size(tuples[0]);
        if (PyTuple_Size(tuples[1]) != b->count || PyTuple_Size(tuples[2]) != b->count) {
            PyErr_SetString(PyExc_ValueError, "lists of different lengths");
            result = -1;
        }
    }
    if (result == 0) {
        b->held = PyTuple_Pack(3, tuples[0], tuples[1], tuples[2]);
        b->rows = (row_input *)PyMem_Calloc((size_t)b->count + 1, sizeof *b->rows);
        if (b->held == NULL || b->rows == NULL) {
            PyErr_NoMemory();
            result = -1;
        }
    }
    for (i = 0; result == 0 && i < b->count; i++)
        if (span_of(PyTuple_GetItem(tuples[0], i), &b->rows[i].key) < 0 ||
            span_of(PyTuple_GetItem(tuples[1], i), &b->rows[i].hot) < 0 ||
            span_of(PyTuple_GetItem(tuples[2], i), &b->rows[i].cold) < 0)
            result = -1;
    for (k = 0; k < 3; k++)
        Py_XDECREF(tuples[k]);
    if (result < 0)
        batch_free(b);
    return result;
}

static int table_of(slot_table *table, const Py_buffer *view)
{
    if (slots_read(table, (const uint8_t *)view->buf, (size_t)view->len))
        return 0;
    PyErr_SetString(PyExc_ValueError, "no slot table");
    return -1;
}

static int program_of(const slot_table *table, const Py_buffer *view)
{
    if (view->len == 0 || program_check((const uint8_t *)view->buf, (size_t)view->len, table->count))
        return 0;
    PyErr_SetString(PyExc_ValueError, "no restriction program");
    return -1;
}

/* ---- functions */

static PyObject *module_select(PyObject *module, PyObject *args)
{
    Py_buffer slots, program;
    PyObject *keys, *hots, *colds, *made = NULL;
    slot_table table = {0};
    batch b = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*OOO", &slots, &program, &keys, &hots, &colds))
        return NULL;
    if (table_of(&table, &slots) == 0 && program_of(&table, &program) == 0 && batch_of(&b, keys, hots, colds) == 0)
        made = PyBytes_FromStringAndSize(NULL, b.count);
    if (made) {
        char *out = PyBytes_AsString(made);
        Py_ssize_t i;
        Py_BEGIN_ALLOW_THREADS
        for (i = 0; i < b.count; i++) {
            row r = row_of(&b.rows[i]);
            out[i] = program.len ? (char)row_matches(&r, &table, (const uint8_t *)program.buf, (size_t)program.len) : 1;
        }
        Py_END_ALLOW_THREADS
    }
    batch_free(&b);
    slots_free(&table);
    PyBuffer_Release(&slots);
    PyBuffer_Release(&program);
    return made;
}

static uint16_t *columns_of(const slot_table *table, const Py_buffer *view, size_t *count)
{
    const uint8_t *data = (const uint8_t *)view->buf;
    uint16_t *made = (uint16_t *)PyMem_Calloc((size_t)view->len / 2 + 1, sizeof *made);
    size_t i;
    *count = (size_t)view->len / 2;
    if (made == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (i = 0; i < *count + (size_t)(view->len % 2); i++) {
        if (i < *count)
            made[i] = (uint16_t)(data[2 * i] | data[2 * i + 1] << 8);
        if (i == *count || made[i] >= table->count) {
            PyErr_SetString(PyExc_ValueError, "no columns");
            PyMem_Free(made);
            return NULL;
        }
    }
    return made;
}

static PyObject *module_pack_rows(PyObject *module, PyObject *args)
{
    Py_buffer slots, columns;
    PyObject *keys, *hots, *colds, *made = NULL;
    Py_ssize_t start, limit;
    slot_table table = {0};
    batch b = {0};
    uint16_t *numbers = NULL;
    size_t count;
    int whole;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*OOOnnp", &slots, &columns, &keys, &hots, &colds, &start, &limit, &whole))
        return NULL;
    if (table_of(&table, &slots) == 0 && (numbers = columns_of(&table, &columns, &count)) != NULL &&
        batch_of(&b, keys, hots, colds) == 0) {
        column_list list = {&table, numbers, count, whole != 0};
        writer out = {0};
        bool full = false, flagged = false;
        Py_ssize_t i = start < 0 ? 0 : start;
        Py_BEGIN_ALLOW_THREADS
        for (; i < b.count && !full && !out.failed; i++) {
            size_t before = out.size;
            row r = row_of(&b.rows[i]);
            if (row_pack(&r, &list, &out, &flagged) == VALUE_ASK)
                break;
            if (limit >= 0 && out.size > (size_t)limit) {
                out.size = before;
                full = true;
                break;
            }
        }
        Py_END_ALLOW_THREADS
        made = out.failed ? PyErr_NoMemory()
                          : Py_BuildValue("(y#nO)", out.data ? (const char *)out.data : "", (Py_ssize_t)out.size, i,
                                          full ? Py_True : Py_False);
        writer_free(&out);
    }
    PyMem_Free(numbers);
    batch_free(&b);
    slots_free(&table);
    PyBuffer_Release(&slots);
    PyBuffer_Release(&columns);
    return made;
}

/* ---- Leaves */

typedef struct {
    PyObject_HEAD
    leaves l;
    int busy;
} LeavesObject;

enum { MAX_LEVELS = 64 };

static PyObject *Leaves_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    LeavesObject *self;
    unsigned levels;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "I", &levels))
        return NULL;
    if (levels > MAX_LEVELS) {
        PyErr_SetString(PyExc_ValueError, "too many levels");
        return NULL;
    }
    self = (LeavesObject *)allocate(type, 0); /* zeroed */
    if (self)
        self->l.levels = levels;
    return (PyObject *)self;
}

static void Leaves_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    leaves_free(&((LeavesObject *)object)->l);
    release(object);
    Py_DECREF(type);
}

static leaves *idle(PyObject *object)
{
    LeavesObject *self = (LeavesObject *)object;
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "leaves in use in another thread");
        return NULL;
    }
    return &self->l;
}

static Py_ssize_t Leaves_length(PyObject *object) { return (Py_ssize_t)((LeavesObject *)object)->l.count; }

static int ends_of(const leaves *l, PyObject *ends, uint32_t *out)
{
    unsigned i;
    if (PySequence_Size(ends) < (Py_ssize_t)l->levels) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "an end for each level expected");
        return -1;
    }
    for (i = 0; i < l->levels; i++) {
        PyObject *number = PySequence_GetItem(ends, (Py_ssize_t)i);
        unsigned long end = number ? PyLong_AsUnsignedLong(number) : 0;
        Py_XDECREF(number);
        if (PyErr_Occurred())
            return -1;
        out[i] = (uint32_t)end;
    }
    return 0;
}

static PyObject *add(PyObject *object, PyObject *args, bool sorted)
{
    leaves *l = idle(object);
    const char *key;
    Py_ssize_t size;
    PyObject *ends;
    unsigned long long id;
    unsigned instance;
    int unread;
    uint32_t numbers[MAX_LEVELS];
    if (l == NULL || !PyArg_ParseTuple(args, "y#OKIp", &key, &size, &ends, &id, &instance, &unread))
        return NULL;
    if (ends_of(l, ends, numbers) < 0)
        return NULL;
    if (!(sorted ? leaves_insert : leaves_add)(l, (const uint8_t *)key, (size_t)size, numbers, id, instance, unread))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *Leaves_add(PyObject *object, PyObject *args) { return add(object, args, false); }
static PyObject *Leaves_insert(PyObject *object, PyObject *args) { return add(object, args, true); }

static PyObject *Leaves_sort(PyObject *object, PyObject *unused)
{
    leaves *l = idle(object);
    bool good;
    (void)unused;
    if (l == NULL)
        return NULL;
    ((LeavesObject *)object)->busy = 1;
    Py_BEGIN_ALLOW_THREADS
    good = leaves_sort(l);
    Py_END_ALLOW_THREADS
    ((LeavesObject *)object)->busy = 0;
    if (!good)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

static PyObject *Leaves_forget(PyObject *object, PyObject *iterable)
{
    leaves *l = idle(object);
    PyObject *tuple;
    uint64_t *ids;
    Py_ssize_t count, i;
    if (l == NULL || (tuple = PySequence_Tuple(iterable)) == NULL)
        return NULL;
    count = PyTuple_Size(tuple);
    ids = (uint64_t *)PyMem_Calloc((size_t)count + 1, sizeof *ids);
    for (i = 0; ids && i < count; i++)
        ids[i] = PyLong_AsUnsignedLongLong(PyTuple_GetItem(tuple, i));
    Py_DECREF(tuple);
    if (ids == NULL)
        return PyErr_NoMemory();
    if (!PyErr_Occurred()) {
        qsort(ids, (size_t)count, sizeof *ids, compare_ids);
        leaves_forget(l, ids, (size_t)count);
    }
    PyMem_Free(ids);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *Leaves_position(PyObject *object, PyObject *args)
{
    leaves *l = idle(object);
    const char *key;
    Py_ssize_t size;
    PyObject *number;
    long long instance;
    int overflow;
    long long id;
    if (l == NULL || !PyArg_ParseTuple(args, "y#OL", &key, &size, &number, &instance))
        return NULL;
    id = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (PyErr_Occurred())
        return NULL;
    if (overflow > 0) {
        id = (long long)PyLong_AsUnsignedLongLong(number);
        if (PyErr_Occurred())
            return NULL;
    }
    /* a place with a negative id (a header's, the start) stands before the rows of its key */
    return PyLong_FromSize_t(leaves_position(l, (const uint8_t *)key, (size_t)size, overflow > 0 || (overflow == 0 && id >= 0),
                                             (uint64_t)id, (uint32_t)instance));
}

static PyObject *Leaves_range(PyObject *object, PyObject *args)
{
    leaves *l = idle(object);
    Py_ssize_t start, stop, i;
    PyObject *made;
    if (l == NULL || !PyArg_ParseTuple(args, "nn", &start, &stop))
        return NULL;
    start = start < 0 ? 0 : start;
    stop = stop > (Py_ssize_t)l->count ? (Py_ssize_t)l->count : stop;
    made = PyList_New(stop > start ? stop - start : 0);
    for (i = start; made && i < stop; i++) {
        const leaf *e = &l->entries[i];
        PyObject *item = Py_BuildValue("(y#KI)", e->size ? (const char *)leaf_key(l, (size_t)i) : "", (Py_ssize_t)e->size,
                                       (unsigned long long)e->id, (unsigned)(e->instance >> 1));
        if (item == NULL || PyList_SetItem(made, i - start, item) < 0)
            Py_CLEAR(made);
    }
    return made;
}

static PyObject *Leaves_find(PyObject *object, PyObject *args)
{
    leaves *l = idle(object);
    unsigned long long id;
    unsigned instance;
    size_t i;
    if (l == NULL || !PyArg_ParseTuple(args, "KI", &id, &instance))
        return NULL;
    for (i = 0; i < l->count; i++)
        if (l->entries[i].id == id && l->entries[i].instance >> 1 == instance)
            return PyLong_FromSize_t(i);
    return PyLong_FromLong(-1);
}

static PyObject *Leaves_prefix(PyObject *object, PyObject *args)
{
    leaves *l = idle(object);
    Py_ssize_t index;
    unsigned level;
    if (l == NULL || !PyArg_ParseTuple(args, "nI", &index, &level))
        return NULL;
    if (index < 0 || index >= (Py_ssize_t)l->count || level >= l->levels) {
        PyErr_SetString(PyExc_IndexError, "no such leaf or level");
        return NULL;
    }
    return PyBytes_FromStringAndSize((const char *)leaf_key(l, (size_t)index), leaf_end(l, (size_t)index, level));
}

/* Where the runs of one category begin, and how many of each are unread: (starts, unread) as packed u32. */
static PyObject *Leaves_groups(PyObject *object, PyObject *args)
{
    leaves *l = idle(object);
    unsigned level;
    Py_ssize_t start, stop, i;
    writer starts = {0}, unread = {0};
    uint32_t count = 0;
    PyObject *made = NULL;
    if (l == NULL || !PyArg_ParseTuple(args, "Inn", &level, &start, &stop))
        return NULL;
    if (level >= l->levels || start < 0 || stop > (Py_ssize_t)l->count) {
        PyErr_SetString(PyExc_IndexError, "no such leaf or level");
        return NULL;
    }
    ((LeavesObject *)object)->busy = 1;
    Py_BEGIN_ALLOW_THREADS
    for (i = start; i < stop; i++) {
        if (i == start || !leaves_same(l, (size_t)i - 1, (size_t)i, level)) {
            if (i > start)
                write_u32le(&unread, count);
            write_u32le(&starts, (uint32_t)i);
            count = 0;
        }
        count += l->entries[i].instance & 1;
    }
    if (stop > start)
        write_u32le(&unread, count);
    Py_END_ALLOW_THREADS
    ((LeavesObject *)object)->busy = 0;
    if (starts.failed || unread.failed)
        PyErr_NoMemory();
    else
        made = Py_BuildValue("(y#y#)", starts.data ? (const char *)starts.data : "", (Py_ssize_t)starts.size,
                             unread.data ? (const char *)unread.data : "", (Py_ssize_t)unread.size);
    writer_free(&starts);
    writer_free(&unread);
    return made;
}

/* What `scan` works with, apart from the leaves. */
typedef struct {
    slot_table table;
    const uint8_t *program;
    size_t program_size;
    sort_column *columns;
    size_t column_count;
    uint32_t *ends;
    bool sorted;
} scan_plan;

static bool scan_rows(leaves *l, const scan_plan *plan, const batch *b, writer *asked)
{
    writer key = {0};
    Py_ssize_t i;
    bool good = true;
    for (i = 0; good && i < b->count; i++) {
        row r = row_of(&b->rows[i]);
        const row_input *in = r.input;
        int match = plan->program_size ? row_matches(&r, &plan->table, plan->program, plan->program_size) : 1;
        if (match == 0)
            continue;
        key.size = 0;
        if (match == 2 || in->key.size != ROW_KEY || in->hot.size < ROW_HOT ||
            row_sort_key(&r, &plan->table, plan->columns, plan->column_count, &key, plan->ends) == VALUE_ASK) {
            write_u32le(asked, (uint32_t)i);
            continue;
        }
        good = !key.failed && !asked->failed &&
               (plan->sorted ? leaves_insert : leaves_add)(
                   l, key.size ? key.data : (const uint8_t *)"", key.size, plan->ends,
                   row_id(in), 0, !(in->hot.data[0] & 1));
    }
    writer_free(&key);
    return good;
}

static int plan_columns(scan_plan *plan, const Py_buffer *view)
{
    const uint8_t *data = (const uint8_t *)view->buf;
    size_t i;
    plan->column_count = (size_t)view->len / 3;
    plan->columns = (sort_column *)PyMem_Calloc(plan->column_count + 1, sizeof *plan->columns);
    plan->ends = (uint32_t *)PyMem_Calloc(plan->column_count + MAX_LEVELS, sizeof *plan->ends);
    if (plan->columns == NULL || plan->ends == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (view->len % 3) {
        PyErr_SetString(PyExc_ValueError, "no sort columns");
        return -1;
    }
    for (i = 0; i < plan->column_count; i++) {
        plan->columns[i].slot = (uint16_t)(data[3 * i] | data[3 * i + 1] << 8);
        plan->columns[i].descending = data[3 * i + 2];
        if (plan->columns[i].slot >= plan->table.count) {
            PyErr_SetString(PyExc_ValueError, "no sort columns");
            return -1;
        }
    }
    return 0;
}

static PyObject *numbers_of(const writer *packed)
{
    PyObject *made = PyList_New(0);
    size_t i;
    for (i = 0; made && i + 4 <= packed->size; i += 4) {
        PyObject *number = PyLong_FromUnsignedLong(bag_number(packed->data + i, 4));
        if (number == NULL || PyList_Append(made, number) < 0)
            Py_CLEAR(made);
        Py_XDECREF(number);
    }
    return made;
}

static PyObject *Leaves_scan(PyObject *object, PyObject *args)
{
    leaves *l = idle(object);
    Py_buffer slots, program, columns;
    PyObject *keys, *hots, *colds, *made = NULL;
    scan_plan plan;
    batch b = {0};
    int sorted;
    memset(&plan, 0, sizeof plan);
    if (l == NULL || !PyArg_ParseTuple(args, "y*y*y*OOOp", &slots, &program, &columns, &keys, &hots, &colds, &sorted))
        return NULL;
    plan.program = (const uint8_t *)program.buf;
    plan.program_size = (size_t)program.len;
    plan.sorted = sorted != 0;
    if (table_of(&plan.table, &slots) == 0 && program_of(&plan.table, &program) == 0 &&
        plan_columns(&plan, &columns) == 0 && batch_of(&b, keys, hots, colds) == 0) {
        writer asked = {0};
        bool good;
        ((LeavesObject *)object)->busy = 1;
        Py_BEGIN_ALLOW_THREADS
        good = scan_rows(l, &plan, &b, &asked);
        Py_END_ALLOW_THREADS
        ((LeavesObject *)object)->busy = 0;
        made = good && !asked.failed ? numbers_of(&asked) : PyErr_NoMemory();
        writer_free(&asked);
    }
    PyMem_Free(plan.columns);
    PyMem_Free(plan.ends);
    batch_free(&b);
    slots_free(&plan.table);
    PyBuffer_Release(&slots);
    PyBuffer_Release(&program);
    PyBuffer_Release(&columns);
    return made;
}

static PyMethodDef Leaves_methods[] = {
    {"add", Leaves_add, METH_VARARGS, "One leaf at the end, without order."},
    {"insert", Leaves_insert, METH_VARARGS, "One leaf in its place."},
    {"sort", Leaves_sort, METH_NOARGS, "Put the leaves in order."},
    {"forget", Leaves_forget, METH_O, "Take out the leaves of some ids."},
    {"position", Leaves_position, METH_VARARGS, "How many leaves stand before a place."},
    {"range", Leaves_range, METH_VARARGS, "The leaves from one index to another."},
    {"find", Leaves_find, METH_VARARGS, "The index of an id's instance, or -1."},
    {"prefix", Leaves_prefix, METH_VARARGS, "The key of a leaf's category."},
    {"groups", Leaves_groups, METH_VARARGS, "Where categories begin, and their unread rows."},
    {"scan", Leaves_scan, METH_VARARGS, "Take the rows that match; indexes of those to ask about."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Leaves_slots[] = {
    {Py_tp_new, Leaves_new},
    {Py_tp_dealloc, Leaves_dealloc},
    {Py_tp_methods, Leaves_methods},
    {Py_sq_length, Leaves_length},
    {Py_tp_doc, "Sorted (key, id, instance) in packed form."},
    {0, NULL},
};

static PyType_Spec Leaves_spec = {
    "appliance.store.tables._native.Leaves", sizeof(LeavesObject), 0, Py_TPFLAGS_DEFAULT, Leaves_slots,
};

static int module_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &Leaves_spec, NULL);
    int result = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return result;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyMethodDef module_methods[] = {
    {"select", module_select, METH_VARARGS, "Which rows match: 0 no, 1 yes, 2 ask."},
    {"pack_rows", module_pack_rows, METH_VARARGS, "Property rows on the wire."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_native", "Row scanning.", 0, module_methods, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module_def); }
