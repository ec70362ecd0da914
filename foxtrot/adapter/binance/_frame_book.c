/* The levels of one Binance book, changed by the text of a depthUpdate frame without making Python objects of it.
 *
 * It takes the frames that are as usual: compact JSON of the documented fields, decimal text on the grid, the change that follows the
 * last one. Whatever is not, it leaves alone and says so, before anything has changed; the plain path then decides. So the rules of
 * gaps, of what is off the grid and of what is malformed are written once, in Python.
 *
 * A level keeps the Python tuple that it was last shown as, so that reading the best levels makes tuples only of those that changed.
 *
 * Built by scripts/setup --compiled, for the stable ABI of Python 3.11 and newer.
 *
 * Source: Binance spot API, web-socket-streams, Diff. Depth Stream; USD-M Futures, Diff. Book Depth Streams.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define MOST_UNITS ((int64_t)1 << 50) /* up to here the plain path finds the same units by floats */
#define MOST_DIGITS 18
#define LATEST 4100000000000000   /* as Time in frames.py */
#define FIRST_MICROSECONDS 4100000000000 /* as to_ns in frames.py */

typedef struct {
    int64_t price, size;
    PyObject *shown; /* the tuple (price, size), made when it is first read */
} Level;

/* The best level is the last: most changes are near it, and little is moved for them. */
typedef struct {
    Level *levels;
    Py_ssize_t count, room;
    int64_t sign; /* 1: prices rise towards the best (bids); -1: they fall (asks) */
} Side;

typedef struct {
    int64_t price, size;
} Change;

typedef struct {
    Change *changes;
    Py_ssize_t count, room;
} Changes;

typedef struct {
    int decimals;
    int64_t numerator;
} Grid;

typedef struct {
    PyObject_HEAD
    Side bids, asks;
    Changes new_bids, new_asks;
    Grid prices, sizes;
    char symbol[48];
    Py_ssize_t symbol_length;
} FrameLevels;

static const int64_t POWERS[MOST_DIGITS + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
    10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
};

/* --- memory: all of it is had before anything changes ------------------------------------------------------------- */

static int reserve(void **block, Py_ssize_t *room, Py_ssize_t wanted, size_t each) {
    if (wanted <= *room) return 1;
    Py_ssize_t larger = *room < 64 ? 64 : *room;
    while (larger < wanted) larger *= 2;
    void *moved = PyMem_Realloc(*block, (size_t)larger * each);
    if (moved == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    *block = moved;
    *room = larger;
    return 1;
}

static int reserve_levels(Side *side, Py_ssize_t more) {
    return reserve((void **)&side->levels, &side->room, side->count + more, sizeof(Level));
}

static int add_change(Changes *changes, int64_t price, int64_t size) {
    if (!reserve((void **)&changes->changes, &changes->room, changes->count + 1, sizeof(Change))) return 0;
    changes->changes[changes->count++] = (Change){price, size};
    return 1;
}

/* --- one side ----------------------------------------------------------------------------------------------------- */

static Py_ssize_t find(const Side *side, int64_t price) {
    const int64_t key = side->sign * price, sign = side->sign;
    Py_ssize_t low = 0, high = side->count;
    while (low < high) {
        Py_ssize_t middle = (low + high) / 2;
        if (sign * side->levels[middle].price < key) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Room for one more must have been reserved. */
static void set_level(Side *side, int64_t price, int64_t size) {
    Py_ssize_t at = find(side, price);
    Level *level = side->levels + at;
    size_t behind = (size_t)(side->count - at) * sizeof(Level);
    if (at < side->count && level->price == price) {
        PyObject *shown = level->shown;
        if (size == level->size) return;
        level->size = size;
        level->shown = NULL;
        if (size == 0) {
            memmove(level, level + 1, behind - sizeof(Level));
            side->count--;
        }
        Py_XDECREF(shown);
    } else if (size != 0) {
        memmove(level + 1, level, behind);
        *level = (Level){price, size, NULL};
        side->count++;
    }
}

static int apply(Side *side, const Changes *changes) {
    if (!reserve_levels(side, changes->count)) return 0;
    for (Py_ssize_t i = 0; i < changes->count; i++) set_level(side, changes->changes[i].price, changes->changes[i].size);
    return 1;
}

static void drop_worst(Side *side, Py_ssize_t how_many) {
    if (how_many <= 0) return;
    for (Py_ssize_t i = 0; i < how_many; i++) Py_XDECREF(side->levels[i].shown);
    side->count -= how_many;
    memmove(side->levels, side->levels + how_many, (size_t)side->count * sizeof(Level));
}

static PyObject *shown(Level *level) {
    if (level->shown == NULL) level->shown = Py_BuildValue("(LL)", (long long)level->price, (long long)level->size);
    Py_XINCREF(level->shown);
    return level->shown;
}

static PyObject *best_levels(Side *side, Py_ssize_t wanted) {
    Py_ssize_t count = wanted < side->count ? wanted : side->count;
    PyObject *result = PyTuple_New(count);
    for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
        PyObject *level = shown(side->levels + side->count - 1 - i);
        if (level == NULL || PyTuple_SetItem(result, i, level) < 0) Py_CLEAR(result);
    }
    return result;
}

static PyObject *best(Side *side) {
    if (side->count == 0) Py_RETURN_NONE;
    return shown(side->levels + side->count - 1);
}

static int is_crossed(const FrameLevels *self) {
    const Side *bids = &self->bids, *asks = &self->asks;
    return bids->count && asks->count && bids->levels[bids->count - 1].price >= asks->levels[asks->count - 1].price;
}

/* --- text --------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *at, *end;
} Text;

static int is_next(Text *text, const char *wanted, size_t length) {
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, wanted, length) != 0) return 0;
    text->at += length;
    return 1;
}

#define NEXT(text, literal) is_next(text, literal, sizeof(literal) - 1)

static int is_digit(const Text *text) { return text->at < text->end && *text->at >= '0' && *text->at <= '9'; }

/* A whole number as JSON writes it. */
static int read_whole(Text *text, int64_t *result) {
    const char *began = text->at;
    int64_t value = 0;
    while (is_digit(text) && text->at - began < MOST_DIGITS) value = value * 10 + (*text->at++ - '0');
    if (text->at == began || is_digit(text) || (*began == '0' && text->at - began > 1)) return 0;
    *result = value;
    return 1;
}

/* Decimal text in quotes, in units of a grid; 0 where it is not plain decimal text, or not on the grid, or large. */
static int read_units(Text *text, const Grid *grid, int64_t *result) {
    int64_t units;
    int digits = grid->decimals;
    if (!NEXT(text, "\"") || !read_whole(text, &units)) return 0;
    if (units >= MOST_UNITS) return 0;
    if (NEXT(text, ".")) {
        if (!is_digit(text)) return 0;
        for (; digits > 0 && is_digit(text); digits--) {
            units = units * 10 + (*text->at++ - '0');
            if (units >= MOST_UNITS) return 0;
        }
        while (text->at < text->end && *text->at == '0') text->at++;
    }
    if (!NEXT(text, "\"") || units > MOST_UNITS / POWERS[digits]) return 0;
    units *= POWERS[digits];
    if (grid->numerator != 1) {
        if (units % grid->numerator != 0) return 0;
        units /= grid->numerator;
    }
    *result = units;
    return units < MOST_UNITS;
}

/* Rows of ["price","size"]; -1 for an exception. */
static int read_rows(Text *text, const FrameLevels *self, Changes *changes) {
    int64_t price, size;
    changes->count = 0;
    if (!NEXT(text, "[")) return 0;
    if (NEXT(text, "]")) return 1;
    for (;;) {
        if (!NEXT(text, "[") || !read_units(text, &self->prices, &price) || !NEXT(text, ",")) return 0;
        if (!read_units(text, &self->sizes, &size) || !NEXT(text, "]") || price == 0) return 0;
        if (!add_change(changes, price, size)) return -1;
        if (NEXT(text, "]")) return 1;
        if (!NEXT(text, ",")) return 0;
    }
}

typedef struct {
    int64_t event_time, time, first, last, previous;
    unsigned seen;
} Frame;

enum { SEEN_e = 1, SEEN_E = 2, SEEN_s = 4, SEEN_U = 8, SEEN_u = 16, SEEN_b = 32, SEEN_a = 64, SEEN_T = 128, SEEN_pu = 256 };
#define NEEDED (SEEN_e | SEEN_E | SEEN_s | SEEN_U | SEEN_u | SEEN_b | SEEN_a)

static int once(Frame *frame, unsigned field) {
    if (frame->seen & field) return 0;
    frame->seen |= field;
    return 1;
}

static int is_symbol(Text *text, const FrameLevels *self) {
    return NEXT(text, "\"") && is_next(text, self->symbol, (size_t)self->symbol_length) && NEXT(text, "\"");
}

/* One field, from its quote on; 0 for a field that is not documented, comes twice or is of another form; -1 for an exception. */
static int read_field(Text *text, FrameLevels *self, Frame *frame) {
    if (NEXT(text, "\"pu\":")) return once(frame, SEEN_pu) && read_whole(text, &frame->previous);
    if (text->end - text->at < 4 || text->at[0] != '"' || text->at[2] != '"' || text->at[3] != ':') return 0;
    char field = text->at[1];
    text->at += 4;
    switch (field) {
        case 'e': return once(frame, SEEN_e) && NEXT(text, "\"depthUpdate\"");
        case 'E': return once(frame, SEEN_E) && read_whole(text, &frame->event_time) && frame->event_time <= LATEST;
        case 'T': return once(frame, SEEN_T) && read_whole(text, &frame->time) && frame->time <= LATEST;
        case 's': return once(frame, SEEN_s) && is_symbol(text, self);
        case 'U': return once(frame, SEEN_U) && read_whole(text, &frame->first);
        case 'u': return once(frame, SEEN_u) && read_whole(text, &frame->last);
        case 'b': return once(frame, SEEN_b) ? read_rows(text, self, &self->new_bids) : 0;
        case 'a': return once(frame, SEEN_a) ? read_rows(text, self, &self->new_asks) : 0;
        default: return 0;
    }
}

/* The envelope of a combined stream that carries all changes of a book; others carry the best levels only, in frames that look alike. */
static int open_envelope(Text *text) {
    while (text->at < text->end && *text->at > ' ' && *text->at < 127 && strchr("@\"\\", *text->at) == NULL) text->at++;
    if (!NEXT(text, "@depth")) return 0;
    (void)(NEXT(text, "@100ms") || NEXT(text, "@250ms") || NEXT(text, "@500ms"));
    return NEXT(text, "\",\"data\":");
}

static int read_frame(Text *text, FrameLevels *self, Frame *frame) {
    int wrapped = NEXT(text, "{\"stream\":\"");
    if ((wrapped && !open_envelope(text)) || !NEXT(text, "{")) return 0;
    do {
        int read = read_field(text, self, frame);
        if (read != 1) return read;
    } while (NEXT(text, ","));
    if (!NEXT(text, "}") || (wrapped && !NEXT(text, "}")) || text->at != text->end) return 0;
    return (frame->seen & NEEDED) == NEEDED && frame->first <= frame->last;
}

/* ContiguousIds and PreviousId of books/sequence.py, as far as they say FOLLOWS. */
static int follows(const Frame *frame, int64_t last, int by_previous, int bridged) {
    int64_t previous = frame->seen & SEEN_pu ? frame->previous : frame->first - 1;
    if (bridged) return by_previous ? previous == last : frame->first == last + 1;
    if (by_previous) return frame->last >= last && (frame->first <= last || previous == last);
    return frame->last > last && frame->first <= last + 1;
}

/* --- what Python sees --------------------------------------------------------------------------------------------- */

static int as_text(PyObject *frame, Text *text) {
    Py_ssize_t length = 0;
    const char *start;
    if (PyUnicode_Check(frame)) {
        start = PyUnicode_AsUTF8AndSize(frame, &length);
        if (start == NULL) {
            PyErr_Clear(); /* a lone surrogate: the plain path refuses it */
            return 0;
        }
    } else if (PyBytes_Check(frame)) {
        start = PyBytes_AsString(frame);
        length = PyBytes_Size(frame);
    } else {
        return 0;
    }
    text->at = start;
    text->end = start + length;
    return 1;
}

PyDoc_STRVAR(take_doc, "take(frame, last_id, by_previous, bridged) -> (update id, venue's time in ns) or None where it is left alone");

static PyObject *take(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    FrameLevels *self = (FrameLevels *)object;
    Frame frame = {0};
    Text text;
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "take needs frame, last_id, by_previous and bridged");
        return NULL;
    }
    int64_t last = PyLong_AsLongLong(arguments[1]);
    if (last == -1 && PyErr_Occurred()) return NULL;
    if (!as_text(arguments[0], &text)) Py_RETURN_NONE;
    int read = read_frame(&text, self, &frame);
    if (read < 0) return NULL;
    if (read == 0 || !follows(&frame, last, arguments[2] == Py_True, arguments[3] == Py_True)) Py_RETURN_NONE;
    int64_t time = frame.seen & SEEN_T ? frame.time : frame.event_time;
    time *= time < FIRST_MICROSECONDS ? 1000000 : 1000;
    PyObject *result = Py_BuildValue("(LL)", (long long)frame.last, (long long)time);
    if (result == NULL) return NULL;
    if (!reserve_levels(&self->bids, self->new_bids.count) || !reserve_levels(&self->asks, self->new_asks.count)) {
        Py_DECREF(result);
        return NULL;
    }
    apply(&self->bids, &self->new_bids);
    apply(&self->asks, &self->new_asks);
    return result;
}

/* Levels as (price, size) of whole numbers; OverflowError for what 64 bits do not hold. */
static int from_levels(PyObject *levels, Changes *changes) {
    changes->count = 0;
    PyObject *iterator = PyObject_GetIter(levels), *level;
    if (iterator == NULL) return 0;
    while ((level = PyIter_Next(iterator)) != NULL) {
        long long price, size;
        int good = PyArg_ParseTuple(level, "LL", &price, &size) && add_change(changes, price, size);
        Py_DECREF(level);
        if (!good) break;
    }
    Py_DECREF(iterator);
    return !PyErr_Occurred();
}

static int both_from(FrameLevels *self, PyObject *arguments) {
    PyObject *bids, *asks;
    return PyArg_ParseTuple(arguments, "OO", &bids, &asks) && from_levels(bids, &self->new_bids) &&
           from_levels(asks, &self->new_asks) && reserve_levels(&self->bids, self->new_bids.count) &&
           reserve_levels(&self->asks, self->new_asks.count);
}

PyDoc_STRVAR(apply_doc, "apply(bids, asks): set sizes by price in units; 0 removes");

static PyObject *apply_levels(PyObject *object, PyObject *arguments) {
    FrameLevels *self = (FrameLevels *)object;
    if (!both_from(self, arguments)) return NULL;
    apply(&self->bids, &self->new_bids);
    apply(&self->asks, &self->new_asks);
    Py_RETURN_NONE;
}

static void leave_out_empty(Changes *changes) {
    Py_ssize_t kept = 0;
    for (Py_ssize_t i = 0; i < changes->count; i++)
        if (changes->changes[i].size != 0) changes->changes[kept++] = changes->changes[i];
    changes->count = kept;
}

PyDoc_STRVAR(load_doc, "load(bids, asks): replace every level; sizes of zero are left out");

static PyObject *load(PyObject *object, PyObject *arguments) {
    FrameLevels *self = (FrameLevels *)object;
    if (!both_from(self, arguments)) return NULL;
    leave_out_empty(&self->new_bids);
    leave_out_empty(&self->new_asks);
    drop_worst(&self->bids, self->bids.count);
    drop_worst(&self->asks, self->asks.count);
    apply(&self->bids, &self->new_bids);
    apply(&self->asks, &self->new_asks);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(top_doc, "top(levels) -> (bids, asks), best first");

static PyObject *top(PyObject *object, PyObject *levels) {
    FrameLevels *self = (FrameLevels *)object;
    Py_ssize_t wanted = PyLong_AsSsize_t(levels);
    if (wanted == -1 && PyErr_Occurred()) return NULL;
    PyObject *bids = best_levels(&self->bids, wanted < 0 ? 0 : wanted);
    PyObject *asks = bids == NULL ? NULL : best_levels(&self->asks, wanted < 0 ? 0 : wanted);
    if (asks == NULL) {
        Py_XDECREF(bids);
        return NULL;
    }
    return Py_BuildValue("(NN)", bids, asks);
}

PyDoc_STRVAR(best_bid_doc, "best_bid() -> (price, size) or None");
static PyObject *best_bid(PyObject *self, PyObject *nothing) { return best(&((FrameLevels *)self)->bids); }

PyDoc_STRVAR(best_ask_doc, "best_ask() -> (price, size) or None");
static PyObject *best_ask(PyObject *self, PyObject *nothing) { return best(&((FrameLevels *)self)->asks); }

PyDoc_STRVAR(is_crossed_doc, "is_crossed() -> whether the best bid reaches the best ask");
static PyObject *get_is_crossed(PyObject *self, PyObject *nothing) { return PyBool_FromLong(is_crossed((FrameLevels *)self)); }

PyDoc_STRVAR(size_at_doc, "size_at(is_bid, price) -> the size there, 0 for none");

static PyObject *size_at(PyObject *object, PyObject *arguments) {
    int is_bid;
    long long price;
    if (!PyArg_ParseTuple(arguments, "pL", &is_bid, &price)) return NULL;
    const Side *side = is_bid ? &((FrameLevels *)object)->bids : &((FrameLevels *)object)->asks;
    Py_ssize_t at = find(side, price);
    int is_there = at < side->count && side->levels[at].price == price;
    return PyLong_FromLongLong(is_there ? side->levels[at].size : 0);
}

PyDoc_STRVAR(cut_doc, "cut(levels): drop all but the best levels of each side");

static PyObject *cut(PyObject *object, PyObject *levels) {
    FrameLevels *self = (FrameLevels *)object;
    Py_ssize_t kept = PyLong_AsSsize_t(levels);
    if (kept == -1 && PyErr_Occurred()) return NULL;
    drop_worst(&self->bids, self->bids.count - kept);
    drop_worst(&self->asks, self->asks.count - kept);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(counts_doc, "counts() -> the number of bids and of asks");

static PyObject *counts(PyObject *object, PyObject *nothing) {
    FrameLevels *self = (FrameLevels *)object;
    return Py_BuildValue("(nn)", self->bids.count, self->asks.count);
}

static int set_grid(Grid *grid, int decimals, long long numerator) {
    *grid = (Grid){decimals, numerator};
    return decimals >= 0 && decimals <= MOST_DIGITS && numerator > 0;
}

static PyObject *new_levels(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    const char *symbol;
    Py_ssize_t length;
    int price_decimals, size_decimals;
    long long price_numerator, size_numerator;
    if (!PyArg_ParseTuple(arguments, "s#iLiL", &symbol, &length, &price_decimals, &price_numerator, &size_decimals, &size_numerator))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    FrameLevels *self = (FrameLevels *)allocate(type, 0);
    if (self == NULL) return NULL;
    self->bids.sign = 1;
    self->asks.sign = -1;
    int fits = length > 0 && length <= (Py_ssize_t)sizeof(self->symbol);
    for (Py_ssize_t i = 0; fits && i < length; i++) fits = symbol[i] > ' ' && symbol[i] < 127 && symbol[i] != '"' && symbol[i] != '\\';
    if (!fits || !set_grid(&self->prices, price_decimals, price_numerator) || !set_grid(&self->sizes, size_decimals, size_numerator)) {
        PyErr_SetString(PyExc_ValueError, "this symbol or grid is for the plain path");
        Py_DECREF(self);
        return NULL;
    }
    memcpy(self->symbol, symbol, (size_t)length);
    self->symbol_length = length;
    return (PyObject *)self;
}

static void free_levels(PyObject *object) {
    FrameLevels *self = (FrameLevels *)object;
    PyTypeObject *type = Py_TYPE(object);
    drop_worst(&self->bids, self->bids.count);
    drop_worst(&self->asks, self->asks.count);
    PyMem_Free(self->bids.levels);
    PyMem_Free(self->asks.levels);
    PyMem_Free(self->new_bids.changes);
    PyMem_Free(self->new_asks.changes);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyMethodDef METHODS[] = {
    {"take", (PyCFunction)(void (*)(void))take, METH_FASTCALL, take_doc},
    {"apply", apply_levels, METH_VARARGS, apply_doc},
    {"load", load, METH_VARARGS, load_doc},
    {"top", top, METH_O, top_doc},
    {"best_bid", best_bid, METH_NOARGS, best_bid_doc},
    {"best_ask", best_ask, METH_NOARGS, best_ask_doc},
    {"is_crossed", get_is_crossed, METH_NOARGS, is_crossed_doc},
    {"size_at", size_at, METH_VARARGS, size_at_doc},
    {"cut", cut, METH_O, cut_doc},
    {"counts", counts, METH_NOARGS, counts_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(levels_doc,
             "The levels of one book: FrameLevels(symbol, price_decimals, price_numerator, size_decimals, size_numerator).\n\n"
             "Thread: belongs to whoever feeds it; the tuples it gives are for anybody.");

static PyType_Slot SLOTS[] = {
    {Py_tp_doc, (void *)levels_doc}, {Py_tp_new, new_levels}, {Py_tp_dealloc, free_levels}, {Py_tp_methods, METHODS}, {0, NULL},
};

static PyType_Spec SPEC = {"foxtrot.adapter.binance._frame_book.FrameLevels", sizeof(FrameLevels), 0, Py_TPFLAGS_DEFAULT, SLOTS};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_frame_book", "Binance's depth frames straight into levels.", -1, NULL, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__frame_book(void) {
    PyObject *module = PyModule_Create(&MODULE), *type = PyType_FromSpec(&SPEC);
    if (module == NULL || type == NULL || PyModule_AddObjectRef(module, "FrameLevels", type) < 0) Py_CLEAR(module);
    Py_XDECREF(type);
    return module;
}
