/* Python binding: appliance.formats.lz77._native, stable ABI of 3.11.
 *
 * compress(data) -> bytes; decompress(data, size) -> bytes, or (status, offset) of what was refused;
 * obfuscate(data) -> bytes. The GIL is released over long work. Errors: MemoryError, OverflowError. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "lz77.h"

enum { GIL_WORTH = 4096 }; /* below that, giving the GIL away costs more than it gives */

static PyObject *module_compress(PyObject *module, PyObject *data)
{
    Py_buffer view;
    writer out = {0};
    PyObject *result = NULL;
    bool good = false;
    (void)module;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (view.len > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "too long");
        PyBuffer_Release(&view);
        return NULL;
    }
    if (view.len >= GIL_WORTH) {
        Py_BEGIN_ALLOW_THREADS
        good = lz77_compress((const uint8_t *)view.buf, (size_t)view.len, &out);
        Py_END_ALLOW_THREADS
    } else {
        good = lz77_compress((const uint8_t *)view.buf, (size_t)view.len, &out);
    }
    PyBuffer_Release(&view);
    if (good)
        result = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
    else
        PyErr_NoMemory();
    writer_free(&out);
    return result;
}

static PyObject *module_decompress(PyObject *module, PyObject *args)
{
    Py_buffer view;
    Py_ssize_t size;
    PyObject *data, *result;
    lz77_status status;
    size_t where = 0;
    uint8_t *out;
    (void)module;
    if (!PyArg_ParseTuple(args, "On", &data, &size))
        return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_OverflowError, "negative size");
        return NULL;
    }
    result = PyBytes_FromStringAndSize(NULL, size);
    if (result == NULL)
        return NULL;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        Py_DECREF(result);
        return NULL;
    }
    out = (uint8_t *)PyBytes_AsString(result);
    if (size >= GIL_WORTH) {
        Py_BEGIN_ALLOW_THREADS
        status = lz77_decompress((const uint8_t *)view.buf, (size_t)view.len, out, (size_t)size, &where);
        Py_END_ALLOW_THREADS
    } else {
        status = lz77_decompress((const uint8_t *)view.buf, (size_t)view.len, out, (size_t)size, &where);
    }
    PyBuffer_Release(&view);
    if (status == LZ77_GOOD)
        return result;
    Py_DECREF(result);
    return Py_BuildValue("in", (int)status, (Py_ssize_t)where);
}

static PyObject *module_obfuscate(PyObject *module, PyObject *data)
{
    Py_buffer view;
    PyObject *result;
    (void)module;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    result = PyBytes_FromStringAndSize(NULL, view.len);
    if (result)
        lz77_obfuscate((const uint8_t *)view.buf, (size_t)view.len, (uint8_t *)PyBytes_AsString(result));
    PyBuffer_Release(&view);
    return result;
}

static PyMethodDef module_methods[] = {
    {"compress", module_compress, METH_O, "Compress."},
    {"decompress", module_decompress, METH_VARARGS, "Decompress to a size: bytes, or (status, offset)."},
    {"obfuscate", module_obfuscate, METH_O, "XOR with 0xA5."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {{0, NULL}};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_native", "Plain LZ77.", 0, module_methods, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module_def); }
