/* torch.h - what torch.save wrote, as named tensors. Private to io.
 *
 * torch_values.c says what a pickle's values stand for, torch_names.c which of them are named tensors, torch_storages.c where
 * their bytes are, torch.c reads them. */
#ifndef THORAX_TORCH_H
#define THORAX_TORCH_H

#include "pickle.h"
#include "zip.h"

/* ------------------------------------------------------------------------------------ values (torch_values.c) */
/* tx_pickle_callable of PyTorch's files: constructors of tensors and of plain data. */
int tx_torch_callable(const char *global);

/* A tensor as the pickle describes it: a part of a storage. */
typedef struct tx_torch_view {
    uint32_t storage; /* the storage's persistent value */
    tx_dtype dtype;
    int dims;
    size_t shape[TX_STORED_DIMS], stride[TX_STORED_DIMS]; /* in elements */
    uint64_t offset;                                      /* in elements */
} tx_torch_view;
/* Whether the value is a tensor, be it one that is read here or not. */
int tx_torch_is_tensor(const tx_pickle *p, uint32_t value);
/* What such a value says. NULL, or what is wrong with it, for "tensor 'NAME': WHAT". */
const char *tx_torch_view_of(const tx_pickle *p, uint32_t value, tx_torch_view *view);
/* Whether the shape has one element or none. */
int tx_torch_is_scalar(const tx_pickle *p, uint32_t value);

/* A storage as a persistent value names it; its key is a text of the pickle. */
typedef struct tx_torch_pid {
    const char *key;
    size_t length;
    tx_dtype dtype;
    uint64_t elements;
    uint32_t view; /* the value of a view of another storage, as files before 2018 have them; else TX_PICKLE_NOTHING */
} tx_torch_pid;
/* NULL, or what is wrong with it. */
const char *tx_torch_pid_of(const tx_pickle *p, uint32_t persistent, tx_torch_pid *pid);

/* A dict, or an object that is one: how many pairs it has, 0 for another value; and the i-th of them. */
int tx_torch_is_dict(const tx_pickle *p, uint32_t value);
uint32_t tx_torch_pairs(const tx_pickle *p, uint32_t dict);
void tx_torch_pair(const tx_pickle *p, uint32_t dict, uint32_t i, uint32_t *key, uint32_t *value);
/* The value under a key, or TX_PICKLE_NOTHING. */
uint32_t tx_torch_get(const tx_pickle *p, uint32_t dict, const char *key);
/* Item i of a tuple, list or set, or of an object that is one, or TX_PICKLE_NOTHING; and how many there are. */
uint32_t tx_torch_items(const tx_pickle *p, uint32_t list);
uint32_t tx_torch_item(const tx_pickle *p, uint32_t list, uint32_t i);
/* The state of an object, or TX_PICKLE_NOTHING. */
uint32_t tx_torch_state(const tx_pickle *p, uint32_t object);

/* -------------------------------------------------------------------------------------- names (torch_names.c) */
typedef struct tx_torch_name {
    size_t at;      /* of the name, in tx_torch_names.text */
    uint32_t value; /* the tensor; of texts the first of them in tx_torch_names.line */
    uint32_t count; /* of texts */
} tx_torch_name;
typedef struct tx_torch_names {
    tx_torch_name *tensor; /* in the order of state_dict(), then those that are attributes of the module, or the file */
    size_t tensors, named, tensor_room; /* all of them, and those of state_dict() */
    tx_torch_name *list;                /* strings, numbers and lists of them, by their names */
    size_t lists, list_room;
    size_t *line; /* where the texts of the lists are */
    size_t lines, line_room;
    char *text;
    size_t texts, text_room;
    size_t type; /* the class of the module, in text; SIZE_MAX where it is none */
} tx_torch_names;
/* Finds the tensors and their names. `file` stands in messages. After an error there is nothing to free. */
tx_status tx_torch_names_find(tx_torch_names *names, const tx_pickle *p, const char *file);
void tx_torch_names_free(tx_torch_names *names);

/* -------------------------------------------------------------------------------- storages (torch_storages.c) */
typedef struct tx_torch_storage {
    const char *key;           /* within the pickle */
    uint64_t bytes, at;        /* at: in the file, of one that is not deflated */
    size_t element;            /* bytes of an element */
    const tx_zip_entry *entry; /* NULL in files without zip */
    int found, checked;
} tx_torch_storage;
typedef struct tx_torch_storages {
    tx_torch_storage *storage; /* by key */
    size_t storages, room;
} tx_torch_storages;
/* All storages that the pickle names; no place is known yet. */
tx_status tx_torch_storages_list(tx_torch_storages *s, const tx_pickle *p, const char *file);
tx_torch_storage *tx_torch_storages_get(const tx_torch_storages *s, const char *key);
/* Their places: entries PREFIX/data/KEY; or from the byte `at` on, in the order of the pickled list of keys. */
tx_status tx_torch_storages_zip(tx_torch_storages *s, const tx_zip *zip, const char *prefix);
tx_status tx_torch_storages_file(tx_torch_storages *s, const tx_reader *file, const tx_pickle *keys);
void tx_torch_storages_free(tx_torch_storages *s);

/* --------------------------------------------------------------------------------------------- all (torch.c) */
typedef struct tx_torch tx_torch;
/* Whether a file that begins so is to be opened here: a ZIP archive or a pickle. */
int tx_torch_looks(const unsigned char *bytes, size_t size);
tx_torch *tx_torch_open(const char *path);
void tx_torch_close(tx_torch *file);
const char *tx_torch_file_name(const tx_torch *file);
size_t tx_torch_count(const tx_torch *file);
const tx_stored *tx_torch_at(const tx_torch *file, size_t i);
const tx_stored *tx_torch_find(const tx_torch *file, const char *name);
const tx_stored *tx_torch_attribute(const tx_torch *file, const char *name);
tx_status tx_torch_floats(tx_torch *file, const tx_stored *tensor, float *out);
tx_status tx_torch_integers(tx_torch *file, const tx_stored *tensor, int64_t *out);
const char *tx_torch_text(const tx_torch *file, const char *key, size_t i);
const char *tx_torch_class(const tx_torch *file);

#endif
