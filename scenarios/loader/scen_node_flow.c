/* A tree on one line: the flow style of YAML, `{kind: custom, gpus: [0, 2]}`, which reads back as the
 * same tree. Plain scalars stay plain, because quotes would make a number a text; what stood in
 * quotes, or holds a character with a meaning in flow style, is quoted as in JSON. */
#include "scen_node.h"

#include <string.h>

static void add_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", *at);
        else if (c < 0x20 || c == 0x7f)
            g_string_append_printf(out, "\\x%02X", c);
        else
            g_string_append_c(out, *at);
    }
    g_string_append_c(out, '"');
}

static void add_scalar(GString *out, const char *text, bool quoted)
{
    if (quoted || strpbrk(text, "{}[],:#&*!|>'\"%@`\n\t"))
        add_quoted(out, text);
    else
        g_string_append(out, text);
}

static void add_node(GString *out, const ScenNode *node)
{
    if (node->kind == SCEN_NODE_TEXT) {
        add_scalar(out, node->text, node->quoted);
        return;
    }
    bool map = node->kind == SCEN_NODE_MAP;
    g_string_append_c(out, map ? '{' : '[');
    for (guint i = 0; i < node->items->len; i++) {
        const ScenItem *item = &g_array_index(node->items, ScenItem, i);
        if (i > 0)
            g_string_append(out, ", ");
        if (map) {
            add_scalar(out, item->key, false);
            g_string_append(out, ": ");
        }
        add_node(out, item->value);
    }
    g_string_append_c(out, map ? '}' : ']');
}

char *scen_node_flow(const ScenNode *node)
{
    GString *out = g_string_new(NULL);
    add_node(out, node);
    return g_string_free(out, FALSE);
}
