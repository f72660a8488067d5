/* Python binding: appliance.formats.structures._native, stable ABI of 3.11.
 *
 * dictionary(text) -> an object that the others take first; compress(d, data) -> bytes;
 * decompress(d, block, size, wanted) -> bytes; pieces(d, rows, piece) -> [bytes or None];
 * judge(d, rows, member, key) -> bytes, a verdict for each row. Rows may be None.
 * What is damaged comes back as (status, offset), from pieces as (status, offset, index of the row). The GIL is released
 * while rows are judged. Errors: TypeError, ValueError, OverflowError (too long), MemoryError. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "structures.h"

enum { BAD_HEAD = 16 }; /* beside the statuses of LZ4 */

static void free_dictionary(PyObject *capsule)
{
    lz4_dictionary *d = (lz4_dictionary *)PyCapsule_GetPointer(capsule, LZ4_CAPSULE);
    if (d) {
        lz4_dictionary_free(d);
        free(d);
    }
}

static PyObject *module_dictionary(PyObject *module, PyObject *text)
{
    char *data;
    Py_ssize_t size;
    lz4_dictionary *d;
    PyObject *capsule;
    (void)module;
    if (PyBytes_AsStringAndSize(text, &data, &size) < 0)
        return NULL;
    if (size > LZ4_DICTIONARY_MOST) {
        PyErr_SetString(PyExc_OverflowError, "a dictionary is at most 65535 bytes long");
        return NULL;
    }
    d = (lz4_dictionary *)calloc(1, sizeof *d);
    if (d == NULL || !lz4_dictionary_make(d, (const uint8_t *)data, (size_t)size)) {
        free(d);
        return PyErr_NoMemory();
    }
    capsule = PyCapsule_New(d, LZ4_CAPSULE, free_dictionary);
    if (capsule == NULL) {
        lz4_dictionary_free(d);
        free(d);
    }
    return capsule;
}

static lz4_dictionary *dictionary_of(PyObject *capsule)
{
    return (lz4_dictionary *)PyCapsule_GetPointer(capsule, LZ4_CAPSULE);
}

static PyObject *module_compress(PyObject *module, PyObject *args)
{
    PyObject *capsule, *result = NULL;
    lz4_dictionary *d;
    Py_buffer data;
    writer out = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "Oy*", &capsule, &data))
        return NULL;
    d = dictionary_of(capsule);
    if (d == NULL)
        ;
    else if (data.len > LZ4_BLOCK_MOST)
        PyErr_SetString(PyExc_OverflowError, "a block is at most 32768 bytes long");
    else {
        bool good;
        Py_BEGIN_ALLOW_THREADS
        good = lz4_compress(d, (const uint8_t *)data.buf, (size_t)data.len, &out);
        Py_END_ALLOW_THREADS
        if (good)
            result = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
        else
            PyErr_NoMemory();
    }
    writer_free(&out);
    PyBuffer_Release(&data);
    return result;
}

static PyObject *module_decompress(PyObject *module, PyObject *args)
{
    PyObject *capsule, *result;
    lz4_dictionary *d;
    Py_buffer block;
    Py_ssize_t size, wanted;
    enum lz4_status status;
    size_t where = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "Oy*nn", &capsule, &block, &size, &wanted))
        return NULL;
    d = dictionary_of(capsule);
    if (d && (size < 0 || size > LZ4_BLOCK_MOST || wanted < 0 || wanted > size))
        PyErr_SetString(PyExc_OverflowError, "a block is at most 32768 bytes long");
    result = d && !PyErr_Occurred() ? PyBytes_FromStringAndSize(NULL, wanted) : NULL;
    if (result) {
        status = lz4_decompress(d, (const uint8_t *)block.buf, (size_t)block.len,
                                (uint8_t *)PyBytes_AsString(result), (size_t)wanted, (size_t)size, (size_t)wanted,
                                &where);
        if (status != LZ4_GOOD) {
            Py_DECREF(result);
            result = Py_BuildValue("in", (int)status, (Py_ssize_t)where);
        }
    }
    PyBuffer_Release(&block);
    return result;
}

static bool row_of(PyObject *object, const uint8_t **row, size_t *size)
{
    char *data = NULL;
    Py_ssize_t length = 0;
    if (object != Py_None && PyBytes_AsStringAndSize(object, &data, &length) < 0)
        return false;
    *row = (const uint8_t *)data;
    *size = (size_t)length;
    return true;
}

/* A piece of a row as bytes, None when the row is of another form, a tuple when it is damaged, NULL with an error. */
static PyObject *piece_of(const lz4_dictionary *d, PyObject *object, enum structure_piece piece, Py_ssize_t index,
                          uint8_t *room)
{
    const uint8_t *row;
    size_t size, where;
    structure s;
    enum lz4_status problem;
    if (!row_of(object, &row, &size))
        return NULL;
    switch (structure_open(&s, row, size, &where)) {
    case STRUCTURE_GOOD:
        break;
    case STRUCTURE_OTHER:
        Py_INCREF(Py_None);
        return Py_None;
    default:
        return Py_BuildValue("inn", BAD_HEAD, (Py_ssize_t)where, index);
    }
    if (structure_unpack(&s, d, piece, room, &problem, &where) != STRUCTURE_GOOD)
        return Py_BuildValue("inn", (int)problem, (Py_ssize_t)(where + (size_t)(s.block - row)), index);
    return PyBytes_FromStringAndSize((const char *)room + structure_start(&s, piece), (Py_ssize_t)s.lengths[piece]);
}

static PyObject *module_pieces(PyObject *module, PyObject *args)
{
    PyObject *capsule, *rows, *found;
    const lz4_dictionary *d;
    Py_ssize_t count, i;
    int piece;
    uint8_t *room;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO!i", &capsule, &PyList_Type, &rows, &piece))
        return NULL;
    d = dictionary_of(capsule);
    if (d == NULL)
        return NULL;
    if (piece < 0 || piece >= STRUCTURE_PIECES) {
        PyErr_SetString(PyExc_ValueError, "no such piece");
        return NULL;
    }
    room = (uint8_t *)malloc(STRUCTURE_ROOM);
    if (room == NULL)
        return PyErr_NoMemory();
    count = PyList_Size(rows);
    found = PyList_New(count);
    for (i = 0; found && i < count; i++) {
        PyObject *made = piece_of(d, PyList_GetItem(rows, i), (enum structure_piece)piece, i, room);
        if (made && PyTuple_Check(made)) { /* damaged */
            Py_DECREF(found);
            found = made;
            break;
        }
        if (made == NULL || PyList_SetItem(found, i, made) < 0) {
            Py_DECREF(found);
            found = NULL;
        }
    }
    free(room);
    return found;
}

typedef struct {
    const uint8_t *data;
    size_t size;
} span;

static enum structure_verdict judge_row(const lz4_dictionary *d, const span *row, unsigned member, const span *key,
                                        uint8_t *room, writer *text)
{
    structure s;
    size_t where;
    enum lz4_status problem;
    if (structure_open(&s, row->data, row->size, &where) != STRUCTURE_GOOD ||
        structure_unpack(&s, d, PIECE_ENVELOPE, room, &problem, &where) != STRUCTURE_GOOD)
        return VERDICT_UNKNOWN;
    return envelope_judge(room, s.lengths[PIECE_ENVELOPE], member, key->data, key->size, text);
}

static PyObject *module_judge(PyObject *module, PyObject *args)
{
    PyObject *capsule, *list, *rows, *result = NULL;
    const lz4_dictionary *d;
    Py_ssize_t key_size, count, i;
    int member;
    const char *key_data;
    span key, *spans;
    uint8_t *room, *verdicts;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO!iy#", &capsule, &PyList_Type, &list, &member, &key_data, &key_size))
        return NULL;
    d = dictionary_of(capsule);
    if (d == NULL)
        return NULL;
    if (member < 1 || member > 7) {
        PyErr_SetString(PyExc_ValueError, "no such member");
        return NULL;
    }
    rows = PySequence_Tuple(list); /* which nobody changes while the GIL is away */
    if (rows == NULL)
        return NULL;
    count = PyTuple_Size(rows);
    key.data = (const uint8_t *)key_data;
    key.size = (size_t)key_size;
    spans = (span *)calloc((size_t)count + 1, sizeof *spans);
    room = (uint8_t *)malloc(STRUCTURE_ROOM);
    result = PyBytes_FromStringAndSize(NULL, count);
    if (spans == NULL || room == NULL || result == NULL) {
        Py_CLEAR(result);
        PyErr_NoMemory();
    }
    for (i = 0; result && i < count; i++)
        if (!row_of(PyTuple_GetItem(rows, i), &spans[i].data, &spans[i].size))
            Py_CLEAR(result);
    if (result) {
        writer text = {0};
        verdicts = (uint8_t *)PyBytes_AsString(result);
        Py_BEGIN_ALLOW_THREADS
        for (i = 0; i < count; i++)
            verdicts[i] = (uint8_t)judge_row(d, &spans[i], (unsigned)member, &key, room, &text);
        Py_END_ALLOW_THREADS
        writer_free(&text);
    }
    free(room);
    free(spans);
    Py_DECREF(rows);
    return result;
}

static PyMethodDef module_methods[] = {
    {"dictionary", module_dictionary, METH_O, "A text that both sides know."},
    {"compress", module_compress, METH_VARARGS, "A block of LZ4."},
    {"decompress", module_decompress, METH_VARARGS, "The first bytes of a block, or (status, offset)."},
    {"pieces", module_pieces, METH_VARARGS, "A piece of each row."},
    {"judge", module_judge, METH_VARARGS, "Whether a key stands in a member of each envelope."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {{0, NULL}};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_native", "Packed structures.", 0, module_methods, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module_def); }
