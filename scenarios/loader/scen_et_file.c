/* Execution traces in protobuf: messages one after another, each behind its length as a varint, the
 * first a GlobalMetadata and all others Nodes (chakra_et.proto).
 *
 * A file whose first message is a node is of the schema before November 2023, whose numbers of types
 * and collectives mean other things: it is refused, as a wrong guess would replay something else.
 *
 * Messages are unpacked into an arena that the next one reuses, which is several times quicker than
 * a malloc for each attribute. */
#include "scen_et.h"

#include "chakra_et.pb-c.h"
#include "scen_errors.h"
#include "scen_gzip.h"

enum {
    ARENA_BYTES = 1 << 16,
    VARINT_BYTES_MOST = 10,
    INFLATED_MOST = G_MAXINT,
    FIRST_FIELD_IS_VARINT = 0x08, /* the key of field 1 as a number: a node's id */
};

typedef struct Arena {
    char *room;
    gsize used;
    GPtrArray *beyond; /* what did not fit */
} Arena;

typedef struct Reader {
    StratEt *et;
    uint32_t rank;
    const char *name;
    const uint8_t *bytes;
    gsize length, at;
    Arena arena;
} Reader;

static void *arena_alloc(void *data, size_t size)
{
    Arena *arena = data;
    gsize aligned = (size + 15) & ~(gsize)15;
    if (aligned < size)
        return NULL;
    if (aligned > ARENA_BYTES - arena->used) {
        void *own = g_malloc(aligned);
        g_ptr_array_add(arena->beyond, own);
        return own;
    }
    void *taken = arena->room + arena->used;
    arena->used += aligned;
    return taken;
}

static void arena_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

static void arena_reset(Arena *arena)
{
    arena->used = 0;
    g_ptr_array_set_size(arena->beyond, 0);
}

static bool damaged(const Reader *reader, gsize at, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static bool damaged(const Reader *reader, gsize at, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: byte %" G_GSIZE_FORMAT ": %s",
                reader->name, at, message);
    return false;
}

/* The next message into @message and @length; false and no error at the end of the file. */
static bool next_message(Reader *reader, const uint8_t **message, gsize *length, GError **error)
{
    gsize start = reader->at;
    uint64_t value = 0;
    for (int i = 0; reader->at < reader->length && i < VARINT_BYTES_MOST; i++) {
        uint8_t byte = reader->bytes[reader->at++];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80)
            continue;
        if (value > reader->length - reader->at)
            return damaged(reader, start, error,
                           "a message of %" G_GUINT64_FORMAT " bytes, of which %" G_GSIZE_FORMAT
                           " are there: the file is cut short",
                           value, reader->length - reader->at);
        *message = reader->bytes + reader->at;
        *length = (gsize)value;
        reader->at += *length;
        return true;
    }
    if (start < reader->length)
        damaged(reader, start, error, "no length of a message: the file is cut short or no trace");
    return false;
}

/* The value of @attr as a whole number; false when it is none. */
static bool whole(const ChakraEt__Attribute *attr, uint64_t *value)
{
    int64_t number = 0;
    double real = 0.0;
    switch (attr->value_case) {
    case CHAKRA_ET__ATTRIBUTE__VALUE_UINT32_VAL:
    case CHAKRA_ET__ATTRIBUTE__VALUE_FIXED32_VAL:
        *value = attr->uint32_val;
        return true;
    case CHAKRA_ET__ATTRIBUTE__VALUE_UINT64_VAL:
    case CHAKRA_ET__ATTRIBUTE__VALUE_FIXED64_VAL:
        *value = attr->uint64_val;
        return true;
    case CHAKRA_ET__ATTRIBUTE__VALUE_BOOL_VAL:
        *value = attr->bool_val != 0;
        return true;
    case CHAKRA_ET__ATTRIBUTE__VALUE_INT32_VAL:
    case CHAKRA_ET__ATTRIBUTE__VALUE_SINT32_VAL:
    case CHAKRA_ET__ATTRIBUTE__VALUE_SFIXED32_VAL:
        number = attr->int32_val;
        break;
    case CHAKRA_ET__ATTRIBUTE__VALUE_INT64_VAL:
    case CHAKRA_ET__ATTRIBUTE__VALUE_SINT64_VAL:
    case CHAKRA_ET__ATTRIBUTE__VALUE_SFIXED64_VAL:
        number = attr->int64_val;
        break;
    case CHAKRA_ET__ATTRIBUTE__VALUE_STRING_VAL:
        return g_ascii_string_to_unsigned(attr->string_val, 10, 0, G_MAXUINT64, value, NULL);
    case CHAKRA_ET__ATTRIBUTE__VALUE_DOUBLE_VAL:
    case CHAKRA_ET__ATTRIBUTE__VALUE_FLOAT_VAL:
        real = attr->value_case == CHAKRA_ET__ATTRIBUTE__VALUE_FLOAT_VAL ? (double)attr->float_val
                                                                         : attr->double_val;
        *value = real >= 0.0 && real < 0x1p63 ? (uint64_t)real : 0;
        return real >= 0.0 && real < 0x1p63;
    default:
        return false;
    }
    *value = number < 0 ? 0 : (uint64_t)number;
    return number >= 0;
}

/* Dimensions that a collective spans; all of them is no restriction. */
static bool take_dimensions(const ChakraEt__BoolList *list, ScenEtRaw *raw)
{
    bool all = true;
    uint32_t spanned = 0;
    for (size_t d = 0; d < list->n_values; d++) {
        all = all && list->values[d];
        if (list->values[d] && d < 32)
            spanned |= UINT32_C(1) << d;
    }
    raw->dimensions = all ? 0 : spanned;
    return all || (spanned != 0 && list->n_values <= 32);
}

static bool take_attribute(Reader *reader, const ChakraEt__Attribute *attr, ScenEtRaw *raw,
                           GError **error)
{
    ScenEtNumber number = scen_et_number(attr->name);
    bool is_fine = true;
    if (number < SCEN_ET_NUMBERS) {
        is_fine = whole(attr, &raw->number[number]);
        raw->is_given[number] = is_fine;
    } else if (g_str_equal(attr->name, "involved_dim")) {
        is_fine = attr->value_case == CHAKRA_ET__ATTRIBUTE__VALUE_BOOL_LIST &&
                  take_dimensions(attr->bool_list, raw);
    } else if (g_str_equal(attr->name, "pg_name") || g_str_equal(attr->name, "comm_group")) {
        uint64_t id = 0;
        bool is_text = attr->value_case == CHAKRA_ET__ATTRIBUTE__VALUE_STRING_VAL;
        is_fine = is_text || whole(attr, &id);
        raw->group = is_text ? attr->string_val : NULL;
        if (is_fine && !is_text) {
            char *text = arena_alloc(&reader->arena, 24);
            g_snprintf(text, 24, "%" G_GUINT64_FORMAT, id);
            raw->group = text;
        }
    }
    if (is_fine)
        return true;
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                "%s: node %" G_GUINT64_FORMAT ": attribute %s has a value that makes no sense",
                reader->name, raw->id, attr->name);
    return false;
}

static bool take_node(Reader *reader, const ChakraEt__Node *node, GError **error)
{
    StratEtRank *of = g_ptr_array_index(reader->et->ranks, reader->rank);
    ScenEtRaw raw = {
        .id = node->id,
        .type = node->type,
        .duration_us = node->duration_micros,
        .name = node->name,
        .dep_count = (guint)(node->n_ctrl_deps + node->n_data_deps),
    };
    for (size_t i = 0; i < node->n_attr; i++)
        if (!take_attribute(reader, node->attr[i], &raw, error))
            return false;
    if (node->type == 1 && node->inputs &&
        !scen_et_read_groups(node->inputs->values, of->groups, error)) {
        g_prefix_error(error, "%s: node %" G_GUINT64_FORMAT ": ", reader->name, node->id);
        return false;
    }
    g_array_append_vals(of->dep_ids, node->ctrl_deps, (guint)node->n_ctrl_deps);
    g_array_append_vals(of->dep_ids, node->data_deps, (guint)node->n_data_deps);
    return scen_et_add_node(reader->et, reader->rank, &raw, error);
}

static bool read_first(Reader *reader, GError **error)
{
    const uint8_t *message;
    gsize length;
    GError *cause = NULL;
    if (!next_message(reader, &message, &length, &cause)) {
        if (!cause)
            return damaged(reader, 0, error, "the file is empty");
        g_propagate_error(error, cause);
        return false;
    }
    if (length > 0 && message[0] == FIRST_FIELD_IS_VARINT)
        return damaged(reader, 0, error,
                       "the first message is a node, no GlobalMetadata: a trace of the schema of "
                       "2022 or 2023, which Chakra's converters no longer write");
    ProtobufCAllocator allocator = {arena_alloc, arena_free, &reader->arena};
    arena_reset(&reader->arena);
    if (!chakra_et__global_metadata__unpack(&allocator, length, message))
        return damaged(reader, 0, error, "the first message is no GlobalMetadata of a trace");
    return true;
}

static bool read_nodes(Reader *reader, GError **error)
{
    ProtobufCAllocator allocator = {arena_alloc, arena_free, &reader->arena};
    const uint8_t *message;
    gsize length, start = reader->at;
    GError *cause = NULL;
    for (guint count = 0; next_message(reader, &message, &length, &cause); count++) {
        arena_reset(&reader->arena);
        const ChakraEt__Node *node = chakra_et__node__unpack(&allocator, length, message);
        if (!node)
            return damaged(reader, start, error,
                           "message %u of %" G_GSIZE_FORMAT " bytes is no node of a trace", count,
                           length);
        if (!take_node(reader, node, error))
            return false;
        start = reader->at;
    }
    if (cause)
        g_propagate_error(error, cause);
    return !cause;
}

static bool read_protobuf(StratEt *et, uint32_t rank, const char *name, const char *bytes,
                          gsize length, GError **error)
{
    Reader reader = {
        .et = et,
        .rank = rank,
        .name = name,
        .bytes = (const uint8_t *)bytes,
        .length = length,
        .arena = {g_malloc(ARENA_BYTES), 0, g_ptr_array_new_with_free_func(g_free)},
    };
    bool is_read = read_first(&reader, error) && read_nodes(&reader, error);
    g_free(reader.arena.room);
    g_ptr_array_unref(reader.arena.beyond);
    return is_read;
}

/* Whether @bytes begin as a JSON object; a binary trace has other bytes after its first length. */
static bool is_json(const char *bytes, gsize length)
{
    gsize at = 0;
    while (at < length && g_ascii_isspace(bytes[at]))
        at++;
    if (at == length || bytes[at] != '{')
        return false;
    for (at++; at < length && g_ascii_isspace(bytes[at]); at++)
        ;
    return at < length && (bytes[at] == '"' || bytes[at] == '}');
}

bool scen_et_read_rank(StratEt *et, const char *name, const char *bytes, gsize length,
                       GError **error)
{
    uint32_t rank = et->ranks->len;
    g_autofree char *inflated = NULL;
    strat_et_add_rank(et, name);
    if (scen_gzip_is(bytes, length)) {
        inflated = scen_gzip_inflate(bytes, length, INFLATED_MOST, &length, error);
        if (!inflated) {
            g_prefix_error(error, "%s: ", name);
            return false;
        }
        bytes = inflated;
    }
    return is_json(bytes, length) ? scen_et_read_json(et, rank, bytes, length, error)
                                  : read_protobuf(et, rank, name, bytes, length, error);
}

StratEt *scen_et_read(const char *const *paths, GError **error)
{
    g_autoptr(StratEt) et = strat_et_new();
    for (; *paths; paths++) {
        g_autofree char *bytes = NULL;
        gsize length;
        if (!g_file_get_contents(*paths, &bytes, &length, error) ||
            !scen_et_read_rank(et, *paths, bytes, length, error))
            return NULL;
    }
    return g_steal_pointer(&et);
}
