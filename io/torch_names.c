/* torch_names.c - which of a pickle's values are a network's tensors, and what they are called.
 *
 * A dict of names and tensors is what state_dict() gives, and checkpoints hold it under some key. A whole module is an object
 * whose state has _parameters, _buffers and _modules, each a dict; the names are put together from their keys as
 * Module.state_dict does (torch/nn/modules/module.py), in its order. */
#include "torch.h"

#include <string.h>

enum { DEPTH = 64, NAME_ROOM = 1024, LINES_MAX = 1 << 16, TENSORS_MAX = 1 << 18, STEPS_MAX = 1 << 24 };
enum { TEXTS_MAX = 1 << 26 };

typedef struct search {
    tx_torch_names *names;
    const tx_pickle *p;
    const char *file;
    char prefix[NAME_ROOM]; /* of the names below the module */
    size_t steps;
} search;

static tx_status fail(const search *s, const char *what)
{
    return tx_fail(TX_ERR_FORMAT, "%s: %s", s->file, what);
}

static tx_status fail_tensor(const search *s, const char *name, const char *what)
{
    char text[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s': %s", s->file, tx_escape(text, sizeof text, name), what);
}

/* Values may stand below several others, so what is looked at is counted. */
static tx_status step(search *s, size_t values)
{
    s->steps += values + 1;
    return s->steps <= STEPS_MAX ? TX_OK : fail(s, "modules and dicts that hold each other too many times");
}

/* ------------------------------------------------------------------------------------------------ lists */
static tx_status add_text(search *s, const char *text, size_t n, size_t *at)
{
    tx_torch_names *t = s->names;
    if (t->texts + n + 1 > TEXTS_MAX)
        return fail(s, "names of more than 2^26 bytes");
    tx_status status = tx_grow((void **)&t->text, &t->text_room, t->texts + n + 1, 1);
    if (status)
        return status;
    *at = t->texts;
    memcpy(t->text + t->texts, text, n);
    t->text[t->texts + n] = 0;
    t->texts += n + 1;
    return TX_OK;
}

static const char *name_fault(const char *name, size_t n)
{
    size_t at = 0;
    if (n == 0 || n >= NAME_ROOM || strlen(name) != n)
        return "a tensor's name that is empty, has a zero in it, or more than 1023 bytes";
    while (at < n) {
        size_t c = tx_utf8_length((const unsigned char *)name + at);
        if (c == 0)
            return "a tensor's name that is no UTF-8";
        at += c;
    }
    return NULL;
}

static tx_status add_tensor(search *s, const char *name, size_t n, uint32_t value)
{
    tx_torch_names *t = s->names;
    const char *fault = name_fault(name, n);
    if (fault)
        return fail(s, fault);
    if (t->tensors == TENSORS_MAX)
        return fail(s, "more than 2^18 tensors");
    tx_torch_name entry = {.value = value};
    tx_status status = add_text(s, name, n, &entry.at);
    if (status == TX_OK)
        status = tx_grow((void **)&t->tensor, &t->tensor_room, t->tensors + 1, sizeof *t->tensor);
    if (status == TX_OK)
        t->tensor[t->tensors++] = entry;
    return status;
}

/* A string, a number or a truth as Python prints it; NULL for another value. */
static const char *plain_text(const search *s, uint32_t value, char room[TX_NUMBER])
{
    const tx_pickle_value *v = &s->p->value[value];
    const char *text = tx_pickle_text(s->p, value);
    switch (v->kind) {
    case TX_PICKLE_FALSE:
        return "False";
    case TX_PICKLE_TRUE:
        return "True";
    case TX_PICKLE_INTEGER:
        snprintf(room, TX_NUMBER, "%lld", (long long)v->u.integer);
        return room;
    case TX_PICKLE_REAL:
        return tx_number_shortest(room, TX_NUMBER, v->u.real);
    case TX_PICKLE_TEXT:
        return strlen(text) == v->u.text.length ? text : NULL;
    default:
        return NULL;
    }
}

static tx_status add_line(search *s, uint32_t value)
{
    tx_torch_names *t = s->names;
    char room[TX_NUMBER];
    const char *text = plain_text(s, value, room);
    size_t at = 0;
    tx_status status = add_text(s, text, strlen(text), &at);
    if (status == TX_OK)
        status = tx_grow((void **)&t->line, &t->line_room, t->lines + 1, sizeof *t->line);
    if (status == TX_OK)
        t->line[t->lines++] = at;
    return status;
}

/* A list of texts, or a text, under its name; what is neither, and the first list of more than 2^16 in all, is passed over. */
static tx_status add_list(search *s, uint32_t key, uint32_t value)
{
    tx_torch_names *t = s->names;
    char room[TX_NUMBER];
    unsigned char kind = s->p->value[value].kind;
    int one = plain_text(s, value, room) != NULL;
    uint32_t n = one ? 1 : kind == TX_PICKLE_LIST || kind == TX_PICKLE_TUPLE ? tx_torch_items(s->p, value) : 0;
    for (uint32_t i = 0; i < n && !one; i++)
        if (!plain_text(s, tx_torch_item(s->p, value, i), room))
            return TX_OK;
    if (n == 0 || t->lines + n > LINES_MAX)
        return TX_OK;
    tx_torch_name entry = {.value = (uint32_t)t->lines, .count = n};
    const char *name = tx_pickle_text(s->p, key);
    tx_status status = add_text(s, name, strlen(name), &entry.at);
    for (uint32_t i = 0; i < n && status == TX_OK; i++)
        status = add_line(s, one ? value : tx_torch_item(s->p, value, i));
    if (status == TX_OK)
        status = tx_grow((void **)&t->list, &t->list_room, t->lists + 1, sizeof *t->list);
    if (status == TX_OK)
        t->list[t->lists++] = entry;
    return status;
}

static int is_text(const search *s, uint32_t value)
{
    return s->p->value[value].kind == TX_PICKLE_TEXT;
}

/* What stands beside the tensors: in the module's state, or in the file's dict. */
static tx_status add_attributes(search *s, uint32_t dict)
{
    uint32_t key, value;
    tx_status status = step(s, tx_torch_pairs(s->p, dict));
    for (uint32_t i = 0; status == TX_OK && i < tx_torch_pairs(s->p, dict); i++) {
        tx_torch_pair(s->p, dict, i, &key, &value);
        if (!is_text(s, key) || tx_pickle_text(s->p, key)[0] == '_')
            continue;
        if (tx_torch_is_tensor(s->p, value)) {
            const char *name = tx_pickle_text(s->p, key);
            status =
                name_fault(name, s->p->value[key].u.text.length) ? TX_OK : add_tensor(s, name, strlen(name), value);
        } else {
            status = add_list(s, key, value);
        }
    }
    return status;
}

/* -------------------------------------------------------------------------------------- modules and dicts */
/* An object's attributes: its state, or the dict of a state that has slots too. */
static uint32_t attributes(const search *s, uint32_t object)
{
    uint32_t state = tx_torch_state(s->p, object);
    return s->p->value[state].kind == TX_PICKLE_TUPLE ? tx_torch_item(s->p, state, 0) : state;
}

static int is_module(const search *s, uint32_t value)
{
    uint32_t state = attributes(s, value);
    return state && tx_torch_is_dict(s->p, tx_torch_get(s->p, state, "_parameters")) &&
           tx_torch_is_dict(s->p, tx_torch_get(s->p, state, "_modules"));
}

static const char *class_of(const search *s, uint32_t object)
{
    const char *name = tx_pickle_name(s->p, object);
    int made = strcmp(name, "copy_reg._reconstructor") == 0 || strcmp(name, "copyreg._reconstructor") == 0 ||
               strcmp(name, "copy_reg.__newobj__") == 0 || strcmp(name, "copyreg.__newobj__") == 0;
    return made ? tx_pickle_name(s->p, tx_torch_item(s->p, s->p->value[object].args, 0)) : name;
}

/* Puts a key behind the prefix, and `more` behind that; *n is how long the prefix is then. */
static tx_status extend(search *s, size_t *n, uint32_t key, const char *more)
{
    const char *text = is_text(s, key) ? tx_pickle_text(s->p, key) : NULL;
    size_t length = text ? s->p->value[key].u.text.length : 0, behind = strlen(more);
    if (!text || strlen(text) != length)
        return fail(s, "a tensor or module whose name is no text");
    if (*n + length + behind >= NAME_ROOM)
        return fail(s, "a tensor's name of more than 1023 bytes");
    memcpy(s->prefix + *n, text, length);
    memcpy(s->prefix + *n + length, more, behind + 1);
    *n += length + behind;
    return TX_OK;
}

static int is_among(const search *s, uint32_t set, uint32_t key)
{
    const char *text = tx_pickle_text(s->p, key);
    for (uint32_t i = 0; i < tx_torch_items(s->p, set); i++) {
        uint32_t item = tx_torch_item(s->p, set, i);
        if (is_text(s, item) && strcmp(tx_pickle_text(s->p, item), text) == 0)
            return 1;
    }
    return 0;
}

/* The tensors of a dict, but for those whose names are in the set `without`. None is no tensor. */
static tx_status add_dict(search *s, uint32_t dict, size_t prefix, uint32_t without)
{
    uint32_t key, value, n = tx_torch_pairs(s->p, dict);
    tx_status status = step(s, n * ((size_t)tx_torch_items(s->p, without) + 1));
    for (uint32_t i = 0; status == TX_OK && i < n; i++) {
        tx_torch_pair(s->p, dict, i, &key, &value);
        if (!tx_torch_is_tensor(s->p, value) || (without && is_text(s, key) && is_among(s, without, key)))
            continue;
        size_t length = prefix;
        status = extend(s, &length, key, "");
        if (status == TX_OK)
            status = add_tensor(s, s->prefix, length, value);
    }
    return status;
}

static tx_status walk(search *s, uint32_t module, size_t prefix, int depth)
{
    uint32_t state = attributes(s, module), modules = tx_torch_get(s->p, state, "_modules"), key, value;
    if (depth == DEPTH)
        return fail(s, "modules within modules, more than 64 deep");
    tx_status status = step(s, 4 * (size_t)tx_torch_pairs(s->p, state) + tx_torch_pairs(s->p, modules));
    if (status == TX_OK)
        status = add_dict(s, tx_torch_get(s->p, state, "_parameters"), prefix, TX_PICKLE_NOTHING);
    if (status == TX_OK)
        status = add_dict(s, tx_torch_get(s->p, state, "_buffers"), prefix,
                          tx_torch_get(s->p, state, "_non_persistent_buffers_set"));
    for (uint32_t i = 0; status == TX_OK && i < tx_torch_pairs(s->p, modules); i++) {
        tx_torch_pair(s->p, modules, i, &key, &value);
        size_t length = prefix;
        if (s->p->value[value].kind == TX_PICKLE_NONE)
            continue;
        status = extend(s, &length, key, ".");
        if (status == TX_OK && !is_module(s, value))
            status = fail_tensor(s, s->prefix, "it stands where a module should, and is none");
        if (status == TX_OK)
            status = walk(s, value, length, depth + 1);
    }
    return status;
}

/* How many tensors a dict has under names: all, and those of more than one element. */
static void count_tensors(const search *s, uint32_t dict, size_t *all, size_t *large)
{
    uint32_t key, value;
    *all = *large = 0;
    for (uint32_t i = 0; i < tx_torch_pairs(s->p, dict); i++) {
        tx_torch_pair(s->p, dict, i, &key, &value);
        if (!is_text(s, key) || !tx_torch_is_tensor(s->p, value))
            continue;
        ++*all;
        *large += !tx_torch_is_scalar(s->p, value);
    }
}

static int holds_tensors(const search *s, uint32_t value)
{
    size_t all, large;
    count_tensors(s, value, &all, &large);
    return all > 0 || is_module(s, value);
}

/* Where checkpoints have the network's tensors, the first of them that is there. */
static const char *const known[] = {"state_dict", "model_state_dict", "model_state", "model",  "module",
                                    "net",        "network",          "weights",     "params", "state_dict_ema",
                                    "model_ema",  "ema_state_dict",   "ema"};

static tx_status no_names(const search *s, uint32_t value)
{
    char text[TX_TEXT];
    uint32_t n = tx_torch_items(s->p, value), tensors = 0;
    for (uint32_t i = 0; i < n; i++)
        tensors += (uint32_t)tx_torch_is_tensor(s->p, tx_torch_item(s->p, value, i));
    if (tensors > 0)
        return tx_fail(TX_ERR_FORMAT, "%s: a list of %u tensors without names; a dict of names and tensors expected",
                       s->file, (unsigned)tensors);
    if (tx_torch_is_tensor(s->p, value))
        return fail(s, "one tensor without a name; a dict of names and tensors expected");
    if (s->p->value[value].kind == TX_PICKLE_OBJECT && !tx_torch_is_dict(s->p, value))
        return tx_fail(TX_ERR_FORMAT, "%s: an object of %s, which is no module; a dict of names and tensors expected",
                       s->file, tx_escape(text, sizeof text, class_of(s, value)));
    return fail(s, "no tensors with names; a dict of them expected");
}

/* Of a dict without a known key: the only one of its values that holds tensors. *found stays where there is none. */
static tx_status choose_only(search *s, uint32_t dict, uint32_t *found)
{
    char list[200] = "", text[TX_TEXT];
    size_t used = 0, count = 0;
    uint32_t key, value, n = tx_torch_pairs(s->p, dict);
    for (uint32_t i = 0; i < n; i++) {
        tx_torch_pair(s->p, dict, i, &key, &value);
        tx_status status = step(s, tx_torch_pairs(s->p, value));
        if (status)
            return status;
        if (!is_text(s, key) || !holds_tensors(s, value))
            continue;
        *found = value;
        count++;
        if (used < sizeof list && count < 6)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%.30s", count > 1 ? ", " : "",
                                     tx_escape(text, sizeof text, tx_pickle_text(s->p, key)));
    }
    if (count <= 1)
        return TX_OK;
    return tx_fail(TX_ERR_FORMAT, "%s: %zu dicts of tensors, none of which is known to be the network's: %s", s->file,
                   count, list);
}

/* The module or dict that has the network's tensors. */
static tx_status choose(search *s, uint32_t value, uint32_t *found, int depth)
{
    size_t all, large;
    *found = TX_PICKLE_NOTHING;
    if (is_module(s, value)) {
        *found = value;
        return TX_OK;
    }
    if (!tx_torch_is_dict(s->p, value) || depth == 4)
        return no_names(s, value);
    tx_status status = step(s, tx_torch_pairs(s->p, value) * (sizeof known / sizeof known[0] + 1));
    for (size_t k = 0; status == TX_OK && k < sizeof known / sizeof known[0]; k++) {
        uint32_t under = tx_torch_get(s->p, value, known[k]);
        if (under != value && (is_module(s, under) || tx_torch_pairs(s->p, under) > 0))
            return choose(s, under, found, depth + 1);
    }
    if (status)
        return status;
    count_tensors(s, value, &all, &large);
    if (large == 0)
        status = choose_only(s, value, found);
    if (status == TX_OK && *found == TX_PICKLE_NOTHING && all > 0)
        *found = value;
    return status || *found ? status : no_names(s, value);
}

static tx_status find_names(search *s)
{
    tx_torch_names *t = s->names;
    uint32_t found, root = s->p->root;
    tx_status status = choose(s, root, &found, 0);
    if (status)
        return status;
    int module = is_module(s, found);
    if (module) {
        const char *name = class_of(s, found);
        status = add_text(s, name, strlen(name), &t->type);
    }
    if (status == TX_OK)
        status = module ? walk(s, found, 0, 0) : add_dict(s, found, 0, TX_PICKLE_NOTHING);
    t->named = t->tensors;
    if (status == TX_OK && t->named == 0)
        status = fail(s, "a module without tensors");
    if (status == TX_OK && module)
        status = add_attributes(s, attributes(s, found));
    if (status == TX_OK && root != found)
        status = add_attributes(s, root);
    return status;
}

tx_status tx_torch_names_find(tx_torch_names *names, const tx_pickle *p, const char *file)
{
    *names = (tx_torch_names){.type = SIZE_MAX};
    search *s = tx_alloc(1, sizeof *s);
    if (!s)
        return TX_ERR_MEMORY;
    s->names = names;
    s->p = p;
    s->file = file;
    tx_status status = find_names(s);
    tx_free(s);
    if (status)
        tx_torch_names_free(names);
    return status;
}

void tx_torch_names_free(tx_torch_names *names)
{
    tx_free(names->tensor);
    tx_free(names->list);
    tx_free(names->line);
    tx_free(names->text);
    *names = (tx_torch_names){0};
}
