/* Python binding of the MIME scanner: appliance.formats.mime._native, stable ABI of 3.11.
 *
 * Scanner(header_bytes, kept_bytes, value_bytes, fields, depth, parts) with feed(data) and
 * finish() -> (table, headers); scan(data, the same six numbers) -> (table, headers);
 * glimpse(tables, heads, raws, key, header) -> bytes, a verdict for each message;
 * fields(block) -> [(name in lower case, unfolded body)]; parts(table) -> [(parent, kind, findings, start, body start,
 * body end, lines, eight values or None)], None for a table that is damaged or says numbers beyond 64 bits.
 * The GIL is released over the work; a scanner that is in use in another thread raises RuntimeError.
 * Errors: MemoryError; ValueError for limits out of range and for use after finish. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "block.h"
#include "glimpse.h"
#include "mime.h"

enum { GIL_WORTH = 8192 }; /* below that, giving the GIL away costs more than it gives */

typedef struct {
    PyObject_HEAD
    mime_scanner *scanner;
    int busy;
} ScannerObject;

static int parse_limits(PyObject *args, Py_ssize_t first, mime_limits *limits)
{
    unsigned long long v[6];
    Py_ssize_t i;
    if (PyTuple_Size(args) != first + 6) {
        PyErr_SetString(PyExc_TypeError, "six limits expected");
        return -1;
    }
    for (i = 0; i < 6; i++) {
        v[i] = PyLong_AsUnsignedLongLong(PyTuple_GetItem(args, first + i));
        if (PyErr_Occurred())
            return -1;
        if (v[i] == 0 || v[i] > (i < 3 ? 1ULL << 40 : i == 4 ? 10000ULL : 1ULL << 24)) {
            PyErr_SetString(PyExc_ValueError, "limit out of range");
            return -1;
        }
    }
    limits->header_bytes = v[0];
    limits->kept_bytes = v[1];
    limits->value_bytes = v[2];
    limits->fields = (uint32_t)v[3];
    limits->depth = (uint32_t)v[4];
    limits->parts = (uint32_t)v[5];
    return 0;
}

static int feed(mime_scanner *s, PyObject *data)
{
    Py_buffer view;
    bool good;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return -1;
    if (view.len >= GIL_WORTH) {
        Py_BEGIN_ALLOW_THREADS
        good = mime_feed(s, (const uint8_t *)view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    } else {
        good = mime_feed(s, (const uint8_t *)view.buf, (size_t)view.len);
    }
    PyBuffer_Release(&view);
    if (!good) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static PyObject *headers_of(const writer *headers)
{
    reader r = reader_of(headers->data, headers->size);
    PyObject *list = PyList_New(0);
    while (list && reader_left(&r)) {
        uint64_t n = read_varint(&r);
        const uint8_t *p = n <= SIZE_MAX ? read_bytes(&r, (size_t)n) : NULL;
        PyObject *item = p ? PyBytes_FromStringAndSize((const char *)p, (Py_ssize_t)n) : NULL;
        if (item == NULL || PyList_Append(list, item) < 0) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_SystemError, "header list");
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *finish(mime_scanner *s)
{
    writer table = {0}, headers = {0};
    PyObject *list, *result = NULL;
    if (!mime_finish(s, &table, &headers)) {
        PyErr_NoMemory();
    } else {
        list = headers_of(&headers);
        if (list) {
            PyObject *bytes = PyBytes_FromStringAndSize((const char *)table.data, (Py_ssize_t)table.size);
            result = bytes ? PyTuple_Pack(2, bytes, list) : NULL;
            Py_XDECREF(bytes);
            Py_DECREF(list);
        }
    }
    writer_free(&table);
    writer_free(&headers);
    return result;
}

static PyObject *Scanner_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    mime_limits limits;
    ScannerObject *self;
    (void)kwargs;
    if (parse_limits(args, 0, &limits) < 0)
        return NULL;
    self = (ScannerObject *)allocate(type, 0);
    if (self == NULL)
        return NULL;
    self->busy = 0;
    self->scanner = mime_new(&limits);
    if (self->scanner == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void Scanner_dealloc(PyObject *object)
{
    ScannerObject *self = (ScannerObject *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    mime_free(self->scanner);
    release(object);
    Py_DECREF(type);
}

static int claim(ScannerObject *self)
{
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "scanner in use in another thread");
        return -1;
    }
    if (self->scanner == NULL) {
        PyErr_SetString(PyExc_ValueError, "scanner is finished");
        return -1;
    }
    self->busy = 1;
    return 0;
}

static PyObject *Scanner_feed(PyObject *object, PyObject *data)
{
    ScannerObject *self = (ScannerObject *)object;
    int result;
    if (claim(self) < 0)
        return NULL;
    result = feed(self->scanner, data);
    self->busy = 0;
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *Scanner_finish(PyObject *object, PyObject *unused)
{
    ScannerObject *self = (ScannerObject *)object;
    PyObject *result;
    (void)unused;
    if (claim(self) < 0)
        return NULL;
    result = finish(self->scanner);
    self->busy = 0;
    mime_free(self->scanner);
    self->scanner = NULL;
    return result;
}

static PyObject *module_scan(PyObject *module, PyObject *args)
{
    mime_limits limits;
    mime_scanner *s;
    PyObject *result = NULL;
    (void)module;
    if (PyTuple_Size(args) < 1) {
        PyErr_SetString(PyExc_TypeError, "data expected");
        return NULL;
    }
    if (parse_limits(args, 1, &limits) < 0)
        return NULL;
    s = mime_new(&limits);
    if (s == NULL)
        return PyErr_NoMemory();
    if (feed(s, PyTuple_GetItem(args, 0)) == 0)
        result = finish(s);
    mime_free(s);
    return result;
}

enum { GLIMPSE_LISTS = 3 }; /* tables, heads, raws */

/* The spans of lists of equal length; `held` keeps their bytes. NULL with an error. */
static mime_span *spans_of(PyObject **lists, PyObject **held, Py_ssize_t *count)
{
    mime_span *spans;
    Py_ssize_t i;
    int k;
    for (k = 0; k < GLIMPSE_LISTS; k++) {
        held[k] = PySequence_Tuple(lists[k]); /* which nobody changes while the GIL is away */
        if (held[k] == NULL)
            return NULL;
        if (PyTuple_Size(held[k]) != PyTuple_Size(held[0])) {
            PyErr_SetString(PyExc_ValueError, "lists of unequal lengths");
            return NULL;
        }
    }
    *count = PyTuple_Size(held[0]);
    spans = (mime_span *)calloc((size_t)*count * GLIMPSE_LISTS + 1, sizeof *spans);
    if (spans == NULL)
        PyErr_NoMemory();
    for (i = 0; spans && i < *count * GLIMPSE_LISTS; i++) {
        char *data;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(held[i % GLIMPSE_LISTS], i / GLIMPSE_LISTS), &data, &size) < 0) {
            free(spans);
            return NULL;
        }
        spans[i].data = (const uint8_t *)data;
        spans[i].size = (size_t)size;
    }
    return spans;
}

static PyObject *module_glimpse(PyObject *module, PyObject *args)
{
    PyObject *lists[GLIMPSE_LISTS], *held[GLIMPSE_LISTS] = {NULL}, *result = NULL;
    const char *key_data;
    Py_ssize_t key_size, count = 0, i;
    int header;
    mime_span *spans;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!y#p", &PyList_Type, &lists[0], &PyList_Type, &lists[1], &PyList_Type, &lists[2],
                          &key_data, &key_size, &header))
        return NULL;
    spans = spans_of(lists, held, &count);
    if (spans)
        result = PyBytes_FromStringAndSize(NULL, count);
    if (result) {
        uint8_t *verdicts = (uint8_t *)PyBytes_AsString(result);
        mime_span key = {(const uint8_t *)key_data, (size_t)key_size};
        writer room = {0};
        Py_BEGIN_ALLOW_THREADS
        for (i = 0; i < count; i++) {
            const mime_span *s = &spans[i * GLIMPSE_LISTS];
            verdicts[i] = (uint8_t)mime_glimpse(s[0], s[1], s[2], key, header != 0, &room);
        }
        Py_END_ALLOW_THREADS
        writer_free(&room);
    }
    free(spans);
    for (i = 0; i < GLIMPSE_LISTS; i++)
        Py_XDECREF(held[i]);
    return result;
}

static PyObject *field_of(const block_field *field)
{
    PyObject *name = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)field->name_size), *body = NULL, *pair = NULL;
    uint8_t small[512], *room = field->body_size <= sizeof small ? small : (uint8_t *)malloc(field->body_size);
    if (room == NULL)
        PyErr_NoMemory();
    if (name && room) {
        char *out = PyBytes_AsString(name);
        size_t i;
        for (i = 0; i < field->name_size; i++) {
            uint8_t c = field->name[i];
            out[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
        i = block_unfold(field->body, field->body_size, room);
        body = PyBytes_FromStringAndSize((const char *)room, (Py_ssize_t)i);
    }
    if (body)
        pair = PyTuple_Pack(2, name, body);
    if (room != small)
        free(room);
    Py_XDECREF(name);
    Py_XDECREF(body);
    return pair;
}

static PyObject *module_fields(PyObject *module, PyObject *data)
{
    PyObject *list;
    block_reader r;
    block_field field;
    char *bytes;
    Py_ssize_t size;
    (void)module;
    if (PyBytes_AsStringAndSize(data, &bytes, &size) < 0)
        return NULL;
    list = PyList_New(0);
    r = block_of((const uint8_t *)bytes, (size_t)size);
    while (list && block_next(&r, &field)) {
        PyObject *pair = field_of(&field);
        if (pair == NULL || PyList_Append(list, pair) < 0)
            Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

static PyObject *values_of(const block_part *part)
{
    PyObject *values = PyTuple_New(BLOCK_VALUES);
    int k;
    for (k = 0; values && k < BLOCK_VALUES; k++) {
        PyObject *value = part->values[k]
                              ? PyBytes_FromStringAndSize((const char *)part->values[k], (Py_ssize_t)part->sizes[k])
                              : Py_NewRef(Py_None);
        if (value == NULL || PyTuple_SetItem(values, k, value) < 0)
            Py_CLEAR(values);
    }
    return values;
}

static PyObject *part_of(const block_part *part)
{
    PyObject *values = values_of(part);
    if (values == NULL)
        return NULL;
    return Py_BuildValue("LiKKKKKN", (long long)part->parent - 1, (int)part->kind, (unsigned long long)part->findings,
                         (unsigned long long)part->start, (unsigned long long)part->body_start,
                         (unsigned long long)part->body_end, (unsigned long long)part->lines, values);
}

static PyObject *module_parts(PyObject *module, PyObject *data)
{
    PyObject *list;
    char *bytes;
    Py_ssize_t length;
    reader table;
    block_part part;
    uint64_t size, count, i;
    (void)module;
    if (PyBytes_AsStringAndSize(data, &bytes, &length) < 0)
        return NULL;
    table = reader_of(bytes, (size_t)length);
    if (!block_table(&table, &size, &count))
        Py_RETURN_NONE;
    list = PyList_New(0);
    part.start = 0;
    for (i = 0; list && i < count; i++) {
        PyObject *item;
        if (!block_part_next(&table, size, i, part.start, &part)) {
            Py_DECREF(list);
            Py_RETURN_NONE;
        }
        item = part_of(&part);
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    if (list && reader_left(&table)) {
        Py_DECREF(list);
        Py_RETURN_NONE;
    }
    return list;
}

static PyMethodDef Scanner_methods[] = {
    {"feed", Scanner_feed, METH_O, "Take the next bytes of the message."},
    {"finish", Scanner_finish, METH_NOARGS, "End of the message: (table, headers)."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Scanner_slots[] = {
    {Py_tp_new, Scanner_new},
    {Py_tp_dealloc, Scanner_dealloc},
    {Py_tp_methods, Scanner_methods},
    {Py_tp_doc, "MIME structure scanner over streamed chunks."},
    {0, NULL},
};

static PyType_Spec Scanner_spec = {
    "appliance.formats.mime._native.Scanner", sizeof(ScannerObject), 0, Py_TPFLAGS_DEFAULT, Scanner_slots,
};

static int module_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &Scanner_spec, NULL);
    int result = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return result;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyMethodDef module_methods[] = {
    {"scan", module_scan, METH_VARARGS, "Scan a whole message: (table, headers)."},
    {"glimpse", module_glimpse, METH_VARARGS, "Whether a key stands in each of some messages."},
    {"fields", module_fields, METH_O, "The fields of a header block: (name in lower case, body)."},
    {"parts", module_parts, METH_O, "The parts of a packed table, or None."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_native", "MIME scanner.", 0, module_methods, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module_def); }
