/* YAML events to a tree, within bounds.
 *
 * libyaml's events carry the marks that messages need, and reading them with an explicit stack of
 * open groups makes every bound easy to hold against hostile input:
 *   - depth: at most SCEN_DOC_DEPTH_MAX open groups, so 10,000 brackets are an error, not a crash;
 *   - aliases share the anchored node, and each group knows its size and height with aliases
 *     expanded, so "a billion laughs" is refused when its size passes SCEN_DOC_NODES_MAX, without
 *     ever having been built; an alias to a group that is still open would be a loop, an error.
 *
 * The dialect is the plain core of YAML: one document, maps with scalar keys, lists, scalars.
 * Duplicate keys are errors that name both places (YAML forbids them, libyaml does not look).
 * Left out on purpose, each with an error: tags, merge keys (`base:` does that work, with marks),
 * several documents. What a scalar means is the binder's business. */
#include "scen_doc.h"

#include <string.h>
#include <yaml.h>

/** A list or map whose end has not been seen. */
typedef struct Frame {
    ScenNode *node;
    char *anchor;
    const char *key; /* of the value to come, NULL: a key comes next */
    ScenMark key_mark;
    GHashTable *seen; /* key -> its index + 1, of a map; looked up, never walked */
} Frame;

typedef struct Reader {
    yaml_parser_t parser;
    ScenPool *pool;
    ScenErrors *errors;
    const char *name;
    ScenOrigin origin;
    GArray *frames;      /* Frame */
    GHashTable *anchors; /* name -> finished node */
    const ScenNode *root;
    int64_t nodes;
    int documents;
} Reader;

static void frame_clear(void *data)
{
    Frame *frame = data;
    g_free(frame->anchor);
    if (frame->seen)
        g_hash_table_unref(frame->seen);
}

static ScenMark place(const Reader *reader, yaml_mark_t mark)
{
    ScenMark found = {.file = reader->name, .origin = reader->origin};
    if (reader->origin != SCEN_ORIGIN_OVERRIDE) {
        found.line = (int64_t)mark.line + 1;
        found.column = (int64_t)mark.column + 1;
    }
    return found;
}

static Frame *top(Reader *reader)
{
    GArray *frames = reader->frames;
    return frames->len ? &g_array_index(frames, Frame, frames->len - 1) : NULL;
}

static void add_key(Reader *reader, Frame *frame, const ScenNode *node)
{
    frame->key = node->text;
    frame->key_mark = node->mark;
    if (g_str_equal(node->text, "<<") && !node->quoted)
        scen_errors_add(reader->errors, node->mark,
                        "merge keys (<<) are not supported: use 'base: NAME', or repeat the keys");
}

/** Adds a value to the map @frame, or says that its key is there already. */
static void add_entry(Reader *reader, Frame *frame, const ScenNode *node)
{
    const char *key = g_steal_pointer(&frame->key);
    size_t seen = GPOINTER_TO_SIZE(g_hash_table_lookup(frame->seen, key));
    if (seen == 0) {
        scen_node_add(frame->node, key, frame->key_mark, node);
        g_hash_table_insert(frame->seen, (void *)key, GSIZE_TO_POINTER(frame->node->items->len));
        return;
    }
    ScenMark first = g_array_index(frame->node->items, ScenItem, seen - 1).key_mark;
    g_autofree char *quoted = scen_quote(key);
    scen_errors_add(reader->errors, frame->key_mark,
                    "duplicate key %s, first at line %" G_GINT64_FORMAT
                    ", column %" G_GINT64_FORMAT,
                    quoted, first.line, first.column);
}

/** Puts a finished node where it belongs. False when that breaks a bound. */
static bool add_node(Reader *reader, const ScenNode *node, ScenMark mark)
{
    Frame *frame = top(reader);
    if (!frame) {
        reader->root = node;
        return true;
    }
    if (frame->node->kind == SCEN_NODE_MAP && !frame->key) {
        if (node->kind == SCEN_NODE_TEXT) {
            add_key(reader, frame, node);
            return true;
        }
        scen_errors_add(reader->errors, mark, "a key must be a word, not a list or map");
        return false;
    }
    if ((int64_t)reader->frames->len + node->height > SCEN_DOC_DEPTH_MAX) {
        scen_errors_add(reader->errors, mark, "nested deeper than %d levels", SCEN_DOC_DEPTH_MAX);
        return false;
    }
    if (frame->node->kind == SCEN_NODE_MAP)
        add_entry(reader, frame, node);
    else
        scen_node_add(frame->node, NULL, mark, node);
    if (frame->node->size <= SCEN_DOC_NODES_MAX)
        return true;
    scen_errors_add(reader->errors, mark, "more than %d values with all aliases expanded",
                    SCEN_DOC_NODES_MAX);
    return false;
}

static void remember(Reader *reader, const char *anchor, const ScenNode *node)
{
    if (anchor)
        g_hash_table_insert(reader->anchors, g_strdup(anchor), (void *)node);
}

static bool note_node(Reader *reader, const yaml_char_t *tag, ScenMark mark)
{
    if (tag) {
        g_autofree char *quoted = scen_quote((const char *)tag);
        scen_errors_add(reader->errors, mark, "the tag %s: tags are not supported", quoted);
    }
    if (++reader->nodes <= SCEN_DOC_NODES_MAX)
        return true;
    scen_errors_add(reader->errors, mark, "more than %d values", SCEN_DOC_NODES_MAX);
    return false;
}

static bool on_scalar(Reader *reader, const yaml_event_t *event)
{
    ScenMark mark = place(reader, event->start_mark);
    if (!note_node(reader, event->data.scalar.tag, mark))
        return false;
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length) {
        scen_errors_add(reader->errors, mark, "a NUL character inside a text");
        return false;
    }
    ScenNode *node = scen_node_text(reader->pool, mark, text);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    remember(reader, (const char *)event->data.scalar.anchor, node);
    return add_node(reader, node, mark);
}

static bool on_alias(Reader *reader, const yaml_event_t *event)
{
    ScenMark mark = place(reader, event->start_mark);
    const char *name = (const char *)event->data.alias.anchor;
    g_autofree char *quoted = scen_quote(name);
    for (size_t i = 0; i < reader->frames->len; i++) {
        if (g_strcmp0(g_array_index(reader->frames, Frame, i).anchor, name) == 0) {
            scen_errors_add(reader->errors, mark, "alias %s stands inside its own anchor", quoted);
            return false;
        }
    }
    const ScenNode *node = g_hash_table_lookup(reader->anchors, name);
    if (node)
        return add_node(reader, node, mark);
    scen_errors_add(reader->errors, mark, "alias %s has no anchor before it", quoted);
    return false;
}

static bool on_start(Reader *reader, ScenNodeKind kind, const yaml_char_t *anchor,
                     const yaml_char_t *tag, ScenMark mark)
{
    if (!note_node(reader, tag, mark))
        return false;
    if (reader->frames->len >= SCEN_DOC_DEPTH_MAX) {
        scen_errors_add(reader->errors, mark, "nested deeper than %d levels", SCEN_DOC_DEPTH_MAX);
        return false;
    }
    Frame frame = {
        .node = scen_node_group(reader->pool, kind, mark),
        .anchor = g_strdup((const char *)anchor),
        .seen = kind == SCEN_NODE_MAP ? g_hash_table_new(g_str_hash, g_str_equal) : NULL,
    };
    g_array_append_val(reader->frames, frame);
    return true;
}

static bool on_end(Reader *reader)
{
    Frame *frame = top(reader);
    const ScenNode *node = frame->node;
    remember(reader, frame->anchor, node);
    g_array_set_size(reader->frames, reader->frames->len - 1);
    return add_node(reader, node, node->mark);
}

static bool on_document(Reader *reader, const yaml_event_t *event)
{
    if (++reader->documents == 1)
        return true;
    scen_errors_add(reader->errors, place(reader, event->start_mark),
                    "a second document starts here, a file holds one");
    return false;
}

/** False to stop reading, because of an error that was added. */
static bool on_event(Reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(reader, event);
    case YAML_SCALAR_EVENT:
        return on_scalar(reader, event);
    case YAML_ALIAS_EVENT:
        return on_alias(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(reader, SCEN_NODE_LIST, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag, place(reader, event->start_mark));
    case YAML_MAPPING_START_EVENT:
        return on_start(reader, SCEN_NODE_MAP, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag, place(reader, event->start_mark));
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(reader);
    default:
        return true;
    }
}

static void add_syntax_error(Reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "not YAML";
    ScenMark mark = place(reader, parser->problem_mark);
    if (parser->error == YAML_READER_ERROR)
        scen_errors_add(reader->errors, (ScenMark){.file = mark.file, .origin = mark.origin},
                        "not a text file: %s at offset %zu", problem, parser->problem_offset);
    else if (parser->context)
        scen_errors_add(reader->errors, mark, "%s %s (from line %zu)", problem, parser->context,
                        parser->context_mark.line + 1);
    else
        scen_errors_add(reader->errors, mark, "%s", problem);
}

static bool read_events(Reader *reader)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event)) {
            add_syntax_error(reader);
            return false;
        }
        bool sound = on_event(reader, &event);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (!sound)
            return false;
    }
    return true;
}

const ScenNode *scen_doc_parse(ScenPool *pool, const char *name, ScenOrigin origin,
                               const char *text, size_t length, ScenErrors *errors)
{
    Reader reader = {
        .pool = pool,
        .errors = errors,
        .name = scen_pool_text(pool, name),
        .origin = origin,
        .frames = g_array_new(FALSE, FALSE, sizeof(Frame)),
        .anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
    g_array_set_clear_func(reader.frames, frame_clear);
    bool sound = yaml_parser_initialize(&reader.parser) == 1;
    if (sound) {
        yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
        sound = read_events(&reader);
    }
    yaml_parser_delete(&reader.parser);
    g_array_unref(reader.frames);
    g_hash_table_unref(reader.anchors);
    if (sound && !reader.root)
        scen_errors_add(errors, (ScenMark){.file = reader.name, .origin = origin},
                        "the document is empty");
    return sound ? reader.root : NULL;
}

const ScenNode *scen_doc_read(ScenPool *pool, const char *path, ScenOrigin origin,
                              ScenErrors *errors)
{
    size_t length = 0;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = scen_file_read(path, &length, &error);
    if (text)
        return scen_doc_parse(pool, path, origin, text, length, errors);
    scen_errors_add(errors, (ScenMark){.file = path, .origin = origin}, "%s", error->message);
    return NULL;
}
