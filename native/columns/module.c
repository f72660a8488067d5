/* Python binding: appliance.formats.columns._native, stable ABI of 3.11.
 *
 * numbers(records, offset, size) -> [int]; keys(before, numbers, after) -> [bytes];
 * lines(steps, serials, records, columns, dictionary or None) -> bytes. The first and the last give the index of the
 * record that is too short as an int instead, lines gives None when it cannot unpack a structure (an entry of its
 * column may be None for an empty one; the dictionary is that of appliance.formats.structures). Steps are tuples (kind, offset, size, tail, column, text, other, choices). The GIL is
 * released while lines are made; what is read meanwhile is held by tuples of our own.
 * Errors: TypeError, ValueError (steps that cannot be, lists of unequal lengths), MemoryError. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "columns.h"

enum {
    MAX_STEPS = 64,
    MAX_COLUMNS = 16,
    GIL_WORTH = 64, /* lines below which giving the GIL away costs more than it gives */
};

static bool piece_of(PyObject *bytes, piece *out)
{
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
        return false;
    out->data = (const uint8_t *)data;
    out->size = (size_t)size;
    return true;
}

static PyObject *module_numbers(PyObject *module, PyObject *args)
{
    PyObject *records, *found;
    Py_ssize_t offset, size, count, i;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!nn", &PyList_Type, &records, &offset, &size))
        return NULL;
    if (offset < 0 || size < 1 || size > 8) {
        PyErr_SetString(PyExc_ValueError, "a field has 1 to 8 bytes");
        return NULL;
    }
    count = PyList_Size(records);
    found = PyList_New(count);
    for (i = 0; found && i < count; i++) {
        PyObject *number = NULL;
        piece record;
        uint64_t value;
        if (piece_of(PyList_GetItem(records, i), &record)) {
            if (!column_number(&record, (size_t)offset, (size_t)size, &value)) {
                Py_DECREF(found);
                return PyLong_FromSsize_t(i);
            }
            number = PyLong_FromUnsignedLongLong(value);
        }
        if (number == NULL || PyList_SetItem(found, i, number) < 0) {
            Py_DECREF(found);
            return NULL;
        }
    }
    return found;
}

static PyObject *module_keys(PyObject *module, PyObject *args)
{
    PyObject *numbers, *found, *before_object, *after_object;
    piece before, after;
    Py_ssize_t count, i;
    int k;
    (void)module;
    if (!PyArg_ParseTuple(args, "SO!S", &before_object, &PyList_Type, &numbers, &after_object) ||
        !piece_of(before_object, &before) || !piece_of(after_object, &after))
        return NULL;
    count = PyList_Size(numbers);
    found = PyList_New(count);
    for (i = 0; found && i < count; i++) {
        unsigned long long number = PyLong_AsUnsignedLongLong(PyList_GetItem(numbers, i));
        PyObject *key = NULL;
        if (number != (unsigned long long)-1 || !PyErr_Occurred())
            key = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(before.size + 8 + after.size));
        if (key) {
            uint8_t *at = (uint8_t *)PyBytes_AsString(key);
            memcpy(at, before.data, before.size);
            at += before.size;
            for (k = 0; k < 8; k++)
                at[k] = (uint8_t)(number >> (56 - 8 * k));
            memcpy(at + 8, after.data, after.size);
        }
        if (key == NULL || PyList_SetItem(found, i, key) < 0) {
            Py_DECREF(found);
            return NULL;
        }
    }
    return found;
}

typedef struct {
    step steps[MAX_STEPS];
    size_t count;
    piece *choices[MAX_STEPS];
} program;

static void program_free(program *p)
{
    size_t i;
    for (i = 0; i < p->count; i++)
        free(p->choices[i]);
}

static bool read_choices(PyObject *table, step *s, piece **place)
{
    Py_ssize_t count = PyTuple_Size(table), i;
    if (count < 1 || (count & (count - 1))) {
        PyErr_SetString(PyExc_ValueError, "choices are a power of two");
        return false;
    }
    *place = (piece *)calloc((size_t)count, sizeof **place);
    if (*place == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (i = 0; i < count; i++)
        if (!piece_of(PyTuple_GetItem(table, i), *place + i))
            return false;
    s->mask = (uint64_t)count - 1;
    s->choices = *place;
    return true;
}

static bool read_step(PyObject *tuple, size_t columns, step *s, piece **choices)
{
    int kind;
    Py_ssize_t offset, size, tail, column;
    PyObject *text, *other, *table;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "a step is a tuple");
        return false;
    }
    if (!PyArg_ParseTuple(tuple, "innnnSSO!", &kind, &offset, &size, &tail, &column, &text, &other, &PyTuple_Type,
                          &table))
        return false;
    if (kind < 0 || kind >= STEP_KINDS || offset < 0 || size < 1 || size > 8 || tail < 0 || column < 0 ||
        (kind >= STEP_COLUMN && (size_t)column >= columns) || (kind == STEP_PIECE && offset >= STRUCTURE_PIECES)) {
        PyErr_SetString(PyExc_ValueError, "a step that cannot be");
        return false;
    }
    s->kind = (enum step_kind)kind;
    s->offset = (size_t)offset;
    s->size = (size_t)size;
    s->tail = (size_t)tail;
    s->column = (size_t)column;
    if ((kind == STEP_WORDS || kind == STEP_HEX) && !read_choices(table, s, choices))
        return false;
    return piece_of(text, &s->text) && piece_of(other, &s->other);
}

static bool read_program(PyObject *steps, size_t columns, program *p)
{
    Py_ssize_t count = PyTuple_Size(steps), i;
    if (count > MAX_STEPS) {
        PyErr_SetString(PyExc_ValueError, "too many steps");
        return false;
    }
    p->count = (size_t)count;
    for (i = 0; i < count; i++)
        if (!read_step(PyTuple_GetItem(steps, i), columns, &p->steps[i], &p->choices[i]))
            return false;
    return true;
}

/* What the lines are made of, as C sees it. `held` keeps the objects. */
typedef struct {
    PyObject *held[2 + MAX_COLUMNS];
    size_t columns, count;
    uint64_t *serials;
    piece *pieces; /* a record and its entries for each line */
    unpacker unpack;
} material;

static void material_free(material *m)
{
    size_t i;
    for (i = 0; i < 2 + MAX_COLUMNS; i++)
        Py_XDECREF(m->held[i]);
    free(m->serials);
    free(m->pieces);
    free(m->unpack.room);
}

static bool hold(material *m, size_t place, PyObject *list)
{
    m->held[place] = PySequence_Tuple(list);
    if (m->held[place] == NULL)
        return false;
    if (place == 0)
        m->count = (size_t)PyTuple_Size(m->held[0]);
    else if ((size_t)PyTuple_Size(m->held[place]) != m->count) {
        PyErr_SetString(PyExc_ValueError, "lists of unequal lengths");
        return false;
    }
    return true;
}

/* An entry of a column; None is an empty one. */
static bool entry_of(PyObject *object, piece *out)
{
    if (object != Py_None)
        return piece_of(object, out);
    out->data = NULL;
    out->size = 0;
    return true;
}

static bool gather(material *m, PyObject *serials, PyObject *records, PyObject *columns, PyObject *dictionary)
{
    Py_ssize_t given = PyTuple_Size(columns);
    size_t i, k, width;
    memset(m, 0, sizeof *m);
    if (given > MAX_COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "too many columns");
        return false;
    }
    m->columns = (size_t)given;
    if (dictionary != Py_None) {
        m->unpack.dictionary = (const lz4_dictionary *)PyCapsule_GetPointer(dictionary, LZ4_CAPSULE);
        if (m->unpack.dictionary == NULL)
            return false;
        m->unpack.room = (uint8_t *)malloc(STRUCTURE_ROOM);
        if (m->unpack.room == NULL) {
            PyErr_NoMemory();
            return false;
        }
    }
    if (!hold(m, 0, serials) || !hold(m, 1, records))
        return false;
    for (k = 0; k < m->columns; k++)
        if (!hold(m, 2 + k, PyTuple_GetItem(columns, (Py_ssize_t)k)))
            return false;
    width = 1 + m->columns;
    m->serials = (uint64_t *)calloc(m->count + 1, sizeof *m->serials);
    m->pieces = (piece *)calloc(m->count * width + 1, sizeof *m->pieces);
    if (m->serials == NULL || m->pieces == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (i = 0; i < m->count; i++) {
        m->serials[i] = PyLong_AsUnsignedLongLong(PyTuple_GetItem(m->held[0], (Py_ssize_t)i));
        if (m->serials[i] == (uint64_t)-1 && PyErr_Occurred())
            return false;
        if (!piece_of(PyTuple_GetItem(m->held[1], (Py_ssize_t)i), &m->pieces[i * width]))
            return false;
        for (k = 1; k < width; k++)
            if (!entry_of(PyTuple_GetItem(m->held[1 + k], (Py_ssize_t)i), &m->pieces[i * width + k]))
                return false;
    }
    return true;
}

/* How many lines were made: fewer than there are records when one cannot be, or memory is short. */
static size_t make_lines(const program *p, const material *m, writer *out, enum line_status *status)
{
    const unpacker *u = m->unpack.room ? &m->unpack : NULL;
    size_t width = 1 + m->columns, i;
    *status = LINE_GOOD;
    for (i = 0; i < m->count && !out->failed; i++) {
        const piece *record = &m->pieces[i * width];
        *status = column_line(p->steps, p->count, m->serials[i], record, record + 1, u, out);
        if (*status != LINE_GOOD)
            break;
    }
    return i;
}

static PyObject *module_lines(PyObject *module, PyObject *args)
{
    PyObject *steps, *serials, *records, *columns, *dictionary, *result = NULL;
    program p;
    material m;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!O!O", &PyTuple_Type, &steps, &PyList_Type, &serials, &PyList_Type, &records,
                          &PyTuple_Type, &columns, &dictionary))
        return NULL;
    memset(&p, 0, sizeof p);
    if (gather(&m, serials, records, columns, dictionary) && read_program(steps, m.columns, &p)) {
        writer out = {0};
        enum line_status status;
        size_t made;
        if (m.count >= GIL_WORTH) {
            Py_BEGIN_ALLOW_THREADS
            made = make_lines(&p, &m, &out, &status);
            Py_END_ALLOW_THREADS
        } else {
            made = make_lines(&p, &m, &out, &status);
        }
        if (out.failed)
            PyErr_NoMemory();
        else if (status == LINE_STRUCTURE) {
            Py_INCREF(Py_None);
            result = Py_None;
        } else if (status == LINE_SHORT)
            result = PyLong_FromSize_t(made);
        else
            result = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
        writer_free(&out);
    }
    program_free(&p);
    material_free(&m);
    return result;
}

static PyMethodDef module_methods[] = {
    {"numbers", module_numbers, METH_VARARGS, "A field of each record."},
    {"keys", module_keys, METH_VARARGS, "Keys around numbers."},
    {"lines", module_lines, METH_VARARGS, "A line of each record."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {{0, NULL}};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_native", "Columns of packed records.", 0, module_methods, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module_def); }
