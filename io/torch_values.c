/* torch_values.c - what the values of a pickle by torch.save stand for: tensors, storages, dicts, lists.
 *
 * A tensor is a call of one of torch._utils' _rebuild functions, whose arguments describe a part of a storage:
 *
 *     _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)
 *     _rebuild_tensor_v3(storage, offset, shape, strides, requires_grad, hooks, dtype)
 *     _rebuild_parameter(tensor, requires_grad, hooks)
 *     _rebuild_from_type_v2(function, type, arguments, state)
 *
 * and a storage is a persistent value ("storage", class, key, device, elements). Source: torch/_utils.py,
 * torch/_tensor.py and torch/serialization.py of PyTorch 0.3 to 2.9. */
#include "torch.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------- calls */
enum rebuild { NO_TENSOR, TENSOR, TYPED, FIRST, BY_FUNCTION, UNREAD };
static const struct {
    const char *global;
    enum rebuild how;
} rebuilds[] = {
    {"torch._utils._rebuild_tensor", TENSOR},
    {"torch._utils._rebuild_tensor_v2", TENSOR},
    {"torch._utils._rebuild_tensor_v3", TYPED},
    {"torch._utils._rebuild_parameter", FIRST},
    {"torch._utils._rebuild_parameter_with_state", FIRST},
    {"torch.nn.parameter.Parameter", FIRST},
    {"torch.nn.parameter.Buffer", FIRST},
    {"torch.autograd.variable.Variable", FIRST},
    {"torch._tensor._rebuild_from_type", BY_FUNCTION},
    {"torch._tensor._rebuild_from_type_v2", BY_FUNCTION},
    {"torch.tensor._rebuild_from_type", BY_FUNCTION},
    {"torch._utils._rebuild_sparse_tensor", UNREAD},
    {"torch._utils._rebuild_sparse_csr_tensor", UNREAD},
    {"torch._utils._rebuild_nested_tensor", UNREAD},
    {"torch._utils._rebuild_qtensor", UNREAD},
    {"torch._utils._rebuild_meta_tensor_no_storage", UNREAD},
    {"torch._utils._rebuild_wrapper_subclass", UNREAD},
    {"torch._utils._rebuild_device_tensor_from_numpy", UNREAD},
    {"torch._utils._rebuild_device_tensor_from_cpu_tensor", UNREAD},
};

/* Constructors of plain data, which checkpoints hold beside their tensors. None of them calls its arguments, but
 * functools.partial, whose result is called only by programs. */
static const char *const plain[] = {
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.Counter",
    "collections.deque",
    "__builtin__.set",
    "__builtin__.frozenset",
    "__builtin__.list",
    "__builtin__.dict",
    "__builtin__.tuple",
    "__builtin__.complex",
    "__builtin__.bytearray",
    "__builtin__.bytes",
    "__builtin__.slice",
    "__builtin__.xrange",
    "__builtin__.object",
    "builtins.set",
    "builtins.frozenset",
    "builtins.list",
    "builtins.dict",
    "builtins.tuple",
    "builtins.complex",
    "builtins.bytearray",
    "builtins.bytes",
    "builtins.slice",
    "builtins.range",
    "builtins.object",
    "_codecs.encode",
    "copy_reg._reconstructor",
    "copyreg._reconstructor",
    "copy_reg.__newobj__",
    "copyreg.__newobj__",
    "functools.partial",
    "argparse.Namespace",
    "types.SimpleNamespace",
    "datetime.date",
    "datetime.time",
    "datetime.datetime",
    "datetime.timedelta",
    "datetime.timezone",
    "decimal.Decimal",
    "fractions.Fraction",
    "uuid.UUID",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
    "pathlib.PurePosixPath",
    "pathlib.PureWindowsPath",
    "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.numeric._frombuffer",
    "numpy._core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.numeric._frombuffer",
    "numpy.random._pickle.__randomstate_ctor",
    "numpy.random._pickle.__generator_ctor",
    "numpy.random._pickle.__bit_generator_ctor",
    "torch.Size",
    "torch.device",
    "torch.torch_version.TorchVersion",
    "torch.serialization._get_layout",
    "torchvision.transforms.functional.InterpolationMode",
    "timm.layers.format.Format",
};

static enum rebuild rebuild_of(const char *global)
{
    for (size_t i = 0; i < sizeof rebuilds / sizeof rebuilds[0]; i++)
        if (strcmp(global, rebuilds[i].global) == 0)
            return rebuilds[i].how;
    return NO_TENSOR;
}

int tx_torch_callable(const char *global)
{
    if (rebuild_of(global) != NO_TENSOR)
        return 1;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (strcmp(global, plain[i]) == 0)
            return 1;
    return 0;
}

/* ------------------------------------------------------------------------------------------------ types */
static const struct {
    const char *storage, *name; /* of a storage's class, and of torch's type, behind "torch." */
    tx_dtype dtype;
} types[] = {
    {"FloatStorage", "float32", TX_F32},
    {"DoubleStorage", "float64", TX_F64},
    {"HalfStorage", "float16", TX_F16},
    {"BFloat16Storage", "bfloat16", TX_BF16},
    {"LongStorage", "int64", TX_I64},
    {"IntStorage", "int32", TX_I32},
    {"ShortStorage", "int16", TX_I16},
    {"CharStorage", "int8", TX_I8},
    {"ByteStorage", "uint8", TX_U8},
    {"BoolStorage", "bool", TX_BOOL},
    {NULL, "uint16", TX_U16},
    {NULL, "uint32", TX_U32},
    {NULL, "uint64", TX_U64},
    {NULL, "float8_e4m3fn", TX_F8_E4M3},
    {NULL, "float8_e5m2", TX_F8_E5M2},
    {"storage.UntypedStorage", NULL, TX_U8},
    {"storage._UntypedStorage", NULL, TX_U8},
    {"UntypedStorage", NULL, TX_U8},
};

static int find_type(const char *global, int is_storage, tx_dtype *dtype)
{
    if (strncmp(global, "torch.", 6) != 0)
        return -1;
    const char *rest = strncmp(global + 6, "cuda.", 5) == 0 && is_storage ? global + 11 : global + 6;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const char *name = is_storage ? types[i].storage : types[i].name;
        if (name && strcmp(rest, name) == 0) {
            *dtype = types[i].dtype;
            return 0;
        }
    }
    return -1;
}

/* ----------------------------------------------------------------------------------------- dicts and lists */
static int is_called(const tx_pickle *p, uint32_t value, const char *name)
{
    return p->value[value].kind == TX_PICKLE_OBJECT && p->value[value].called &&
           strcmp(tx_pickle_name(p, value), name) == 0;
}

/* An object that was given all its items when it was called: the list of them. */
static uint32_t given(const tx_pickle *p, uint32_t value)
{
    const tx_pickle_value *v = &p->value[value];
    if (v->kind != TX_PICKLE_OBJECT || v->count > 0 || !v->called || p->value[v->args].count == 0)
        return TX_PICKLE_NOTHING;
    uint32_t list = p->item[p->value[v->args].from];
    unsigned char kind = p->value[list].kind;
    return kind == TX_PICKLE_LIST || kind == TX_PICKLE_TUPLE || kind == TX_PICKLE_SET ? list : TX_PICKLE_NOTHING;
}

int tx_torch_is_dict(const tx_pickle *p, uint32_t value)
{
    const tx_pickle_value *v = &p->value[value];
    if (v->kind == TX_PICKLE_OBJECT)
        return (v->count > 0 && !v->listed) || is_called(p, value, "collections.OrderedDict");
    return v->kind == TX_PICKLE_DICT;
}

uint32_t tx_torch_pairs(const tx_pickle *p, uint32_t dict)
{
    if (!tx_torch_is_dict(p, dict))
        return 0;
    uint32_t list = given(p, dict);
    return list ? p->value[list].count : p->value[dict].count / 2;
}

void tx_torch_pair(const tx_pickle *p, uint32_t dict, uint32_t i, uint32_t *key, uint32_t *value)
{
    uint32_t list = given(p, dict);
    if (!list) {
        const uint32_t *item = p->item + p->value[dict].from + 2 * (size_t)i;
        *key = item[0];
        *value = item[1];
        return;
    }
    uint32_t pair = p->item[p->value[list].from + i];
    *key = tx_torch_item(p, pair, 0);
    *value = tx_torch_item(p, pair, 1);
}

uint32_t tx_torch_get(const tx_pickle *p, uint32_t dict, const char *key)
{
    uint32_t n = tx_torch_pairs(p, dict), k, value;
    for (uint32_t i = 0; i < n; i++) {
        tx_torch_pair(p, dict, i, &k, &value);
        if (p->value[k].kind == TX_PICKLE_TEXT && strcmp(tx_pickle_text(p, k), key) == 0)
            return value;
    }
    return TX_PICKLE_NOTHING;
}

/* The value that has the items itself. */
static uint32_t listing(const tx_pickle *p, uint32_t list)
{
    const tx_pickle_value *v = &p->value[list];
    if (v->kind == TX_PICKLE_LIST || v->kind == TX_PICKLE_TUPLE || v->kind == TX_PICKLE_SET)
        return list;
    return v->kind == TX_PICKLE_OBJECT ? (v->count > 0 && v->listed ? list : given(p, list)) : TX_PICKLE_NOTHING;
}

uint32_t tx_torch_items(const tx_pickle *p, uint32_t list)
{
    return p->value[listing(p, list)].count;
}

uint32_t tx_torch_item(const tx_pickle *p, uint32_t list, uint32_t i)
{
    const tx_pickle_value *v = &p->value[listing(p, list)];
    return i < v->count ? p->item[v->from + i] : TX_PICKLE_NOTHING;
}

uint32_t tx_torch_state(const tx_pickle *p, uint32_t object)
{
    return p->value[object].kind == TX_PICKLE_OBJECT ? p->value[object].state : TX_PICKLE_NOTHING;
}

/* --------------------------------------------------------------------------------------------- tensors */
int tx_torch_is_tensor(const tx_pickle *p, uint32_t value)
{
    return p->value[value].kind == TX_PICKLE_OBJECT && p->value[value].called &&
           rebuild_of(tx_pickle_name(p, value)) != NO_TENSOR;
}

static int whole(const tx_pickle *p, uint32_t value, uint64_t *number)
{
    const tx_pickle_value *v = &p->value[value];
    if (v->kind != TX_PICKLE_INTEGER || v->u.integer < 0)
        return -1;
    *number = (uint64_t)v->u.integer;
    return 0;
}

/* A tuple of whole numbers; how many there are, or -1. */
static int sizes(const tx_pickle *p, uint32_t list, size_t out[TX_STORED_DIMS])
{
    uint32_t n = tx_torch_items(p, list);
    uint64_t v;
    if (!listing(p, list) || n > TX_STORED_DIMS)
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        if (whole(p, tx_torch_item(p, list, i), &v) || v > SIZE_MAX)
            return -1;
        out[i] = (size_t)v;
    }
    return (int)n;
}

static const char *view_by_arguments(const tx_pickle *p, uint32_t args, int typed, tx_torch_view *view)
{
    tx_torch_pid pid;
    view->storage = tx_torch_item(p, args, 0);
    if (p->value[view->storage].kind != TX_PICKLE_PERSISTENT)
        return "it has no storage";
    const char *wrong = tx_torch_pid_of(p, view->storage, &pid);
    if (wrong)
        return wrong;
    view->dtype = pid.dtype;
    if (typed && find_type(tx_pickle_name(p, tx_torch_item(p, args, 6)), 0, &view->dtype))
        return "numbers of a type that is not read";
    if (whole(p, tx_torch_item(p, args, 1), &view->offset))
        return "its offset is no whole number";
    view->dims = sizes(p, tx_torch_item(p, args, 2), view->shape);
    if (view->dims < 0)
        return "its shape is not one of at most 8 whole numbers";
    if (sizes(p, tx_torch_item(p, args, 3), view->stride) != view->dims)
        return "its strides are not as many whole numbers as its sides";
    return NULL;
}

/* Arguments and how they are read, through whatever is wrapped around them. */
static const char *find_arguments(const tx_pickle *p, uint32_t value, uint32_t *args, enum rebuild *how)
{
    if (!tx_torch_is_tensor(p, value))
        return "no tensor";
    *args = p->value[value].args;
    *how = rebuild_of(tx_pickle_name(p, value));
    for (int depth = 0; depth < 8; depth++) {
        if (*how == BY_FUNCTION) {
            *how = rebuild_of(tx_pickle_name(p, tx_torch_item(p, *args, 0)));
            *args = tx_torch_item(p, *args, 2);
        } else if (*how == FIRST) {
            value = tx_torch_item(p, *args, 0);
            *how = rebuild_of(p->value[value].kind == TX_PICKLE_OBJECT ? tx_pickle_name(p, value) : "");
            *args = p->value[value].args;
        } else {
            break;
        }
    }
    return *how == TENSOR || *how == TYPED ? NULL
                                           : "a kind of tensor that is not read (sparse, quantized, without data ..)";
}

const char *tx_torch_view_of(const tx_pickle *p, uint32_t value, tx_torch_view *view)
{
    uint32_t args = 0;
    enum rebuild how = NO_TENSOR;
    memset(view, 0, sizeof *view);
    const char *wrong = find_arguments(p, value, &args, &how);
    return wrong ? wrong : view_by_arguments(p, args, how == TYPED, view);
}

int tx_torch_is_scalar(const tx_pickle *p, uint32_t value)
{
    tx_torch_view view;
    size_t count = 1;
    if (tx_torch_view_of(p, value, &view))
        return 0;
    for (int d = 0; d < view.dims; d++)
        if (tx_size_mul(count, view.shape[d], &count))
            return 0;
    return count <= 1;
}

const char *tx_torch_pid_of(const tx_pickle *p, uint32_t persistent, tx_torch_pid *pid)
{
    uint32_t tuple = p->value[persistent].args, key = tx_torch_item(p, tuple, 2);
    const char *tag = tx_pickle_text(p, tx_torch_item(p, tuple, 0)), *name = tx_pickle_text(p, key);
    if (tx_torch_items(p, tuple) < 5 || !tag || strcmp(tag, "storage") != 0)
        return "its storage is not named as PyTorch names them";
    if (!name || !*name || strlen(name) != p->value[key].u.text.length || p->value[key].u.text.length > 255)
        return "its storage's key is not a short text";
    if (find_type(tx_pickle_name(p, tx_torch_item(p, tuple, 1)), 1, &pid->dtype))
        return "numbers of a type that is not read (complex, quantized ..)";
    if (whole(p, tx_torch_item(p, tuple, 4), &pid->elements))
        return "its storage's size is no whole number";
    pid->key = name;
    pid->length = p->value[key].u.text.length;
    pid->view = tx_torch_item(p, tuple, 5);
    return NULL;
}
