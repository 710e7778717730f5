#include "toy_et.h"

#include "chakra_et.pb-c.h"
#include "scen_load.h"
#include "scen_simulate.h"

#include <string.h>

enum { ATTRIBUTES_MOST = 8 };

/* A message behind its length. */
static void append_message(GByteArray *file, const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    for (size_t left = length;;) {
        uint8_t byte = (uint8_t)(left & 0x7f) | (left > 0x7f ? 0x80 : 0);
        g_byte_array_append(file, &byte, 1);
        left >>= 7;
        if (left == 0)
            break;
    }
    g_autofree uint8_t *bytes = g_malloc(MAX(length, 1));
    protobuf_c_message_pack(message, bytes);
    g_byte_array_append(file, bytes, (guint)length);
}

/* A node while it is put together. */
typedef struct Writing {
    ChakraEt__Attribute attribute[ATTRIBUTES_MOST];
    ChakraEt__Attribute *list[ATTRIBUTES_MOST];
    ChakraEt__BoolList spans;
    protobuf_c_boolean spanned[16];
    size_t count;
} Writing;

static ChakraEt__Attribute *add(Writing *writing, const char *name)
{
    ChakraEt__Attribute *attribute = &writing->attribute[writing->count];
    chakra_et__attribute__init(attribute);
    attribute->name = (char *)name;
    writing->list[writing->count++] = attribute;
    return attribute;
}

static void add_number(Writing *writing, const char *name, uint64_t value)
{
    ChakraEt__Attribute *attribute = add(writing, name);
    attribute->value_case = CHAKRA_ET__ATTRIBUTE__VALUE_UINT64_VAL;
    attribute->uint64_val = value;
}

static void add_communication(Writing *writing, const ToyEtNode *node)
{
    ChakraEt__Attribute *attribute;
    add_number(writing, "comm_size", node->size);
    if (node->type == TOY_ET_COLL) {
        attribute = add(writing, "comm_type");
        attribute->value_case = CHAKRA_ET__ATTRIBUTE__VALUE_INT64_VAL;
        attribute->int64_val = node->collective;
    } else {
        attribute = add(writing, node->type == TOY_ET_SEND ? "comm_dst" : "comm_src");
        attribute->value_case = CHAKRA_ET__ATTRIBUTE__VALUE_INT32_VAL;
        attribute->int32_val = (int32_t)node->peer;
        add_number(writing, "comm_tag", node->tag);
    }
    if (node->group) {
        attribute = add(writing, "pg_name");
        attribute->value_case = CHAKRA_ET__ATTRIBUTE__VALUE_STRING_VAL;
        attribute->string_val = (char *)node->group;
    }
    if (node->spans) {
        attribute = add(writing, "involved_dim");
        chakra_et__bool_list__init(&writing->spans);
        writing->spans.n_values = strlen(node->spans);
        writing->spans.values = writing->spanned;
        for (size_t d = 0; d < writing->spans.n_values; d++)
            writing->spanned[d] = node->spans[d] == '1';
        attribute->value_case = CHAKRA_ET__ATTRIBUTE__VALUE_BOOL_LIST;
        attribute->bool_list = &writing->spans;
    }
}

static size_t take_deps(const uint64_t *from, uint64_t *to)
{
    size_t count = 0;
    for (; count < TOY_ET_DEPS && from[count] > 0; count++)
        to[count] = from[count] - 1;
    return count;
}

void toy_et_append(GByteArray *file, const ToyEtNode *node)
{
    ChakraEt__Node message = CHAKRA_ET__NODE__INIT;
    ChakraEt__InputOutput inputs = CHAKRA_ET__INPUT_OUTPUT__INIT;
    Writing writing = {.count = 0};
    uint64_t data[TOY_ET_DEPS], ctrl[TOY_ET_DEPS];
    message.id = node->id;
    message.type = node->type;
    message.name = (char *)(node->name ? node->name : "n");
    message.duration_micros = node->us;
    message.n_data_deps = take_deps(node->data, data);
    message.data_deps = data;
    message.n_ctrl_deps = take_deps(node->ctrl, ctrl);
    message.ctrl_deps = ctrl;
    ChakraEt__Attribute *host = add(&writing, "is_cpu_op");
    host->value_case = CHAKRA_ET__ATTRIBUTE__VALUE_BOOL_VAL;
    host->bool_val = node->on_host;
    if (node->ops > 0)
        add_number(&writing, "num_ops", node->ops);
    if (node->bytes > 0)
        add_number(&writing, "tensor_size", node->bytes);
    if (node->type >= TOY_ET_SEND)
        add_communication(&writing, node);
    inputs.values = (char *)node->values;
    message.inputs = node->values ? &inputs : NULL;
    message.n_attr = writing.count;
    message.attr = writing.list;
    append_message(file, &message.base);
}

GByteArray *toy_et_file(const ToyEtNode *nodes, size_t count)
{
    GByteArray *file = g_byte_array_new();
    ChakraEt__GlobalMetadata metadata = CHAKRA_ET__GLOBAL_METADATA__INIT;
    ProtobufCBinaryData version = {5, (uint8_t *)"0.0.4"};
    metadata.n_version = 1;
    metadata.version = &version;
    append_message(file, &metadata.base);
    for (size_t i = 0; i < count; i++)
        toy_et_append(file, &nodes[i]);
    return file;
}

ScenScenario *toy_et_scenario(int gpus, const char *keys, const char *more)
{
    g_autofree char *text = g_strdup_printf("cluster: {node: dgx-h100, gpus: %d}\n"
                                            "execution_trace: {files: t.%%d.et%s%s}\n%s",
                                            gpus, keys[0] ? ", " : "", keys, more);
    ScenLoadOptions options = {.data_dir = NULL};
    GError *error = NULL;
    ScenScenario *scenario = scen_scenario_parse("t.yaml", text, strlen(text), &options, &error);
    if (!scenario)
        g_error("%s", error->message);
    return scenario;
}

StratEtResult *toy_et_replay(const ScenScenario *scenario, GByteArray *const *files, size_t ranks,
                             GError **error)
{
    StratCosting costing;
    g_autoptr(StratEt) et = strat_et_new();
    const GArray *lengths = scenario->trace.dimensions;
    int64_t dimensions[8];
    for (guint d = 0; lengths && d < lengths->len; d++)
        dimensions[d] = (int64_t)g_array_index(lengths, double, d);
    for (size_t r = 0; r < ranks; r++) {
        g_autofree char *name = g_strdup_printf("t.%zu.et", r);
        if (!scen_et_read_rank(et, name, (const char *)files[r]->data, files[r]->len, error))
            return NULL;
    }
    if (!scen_costing(scenario, &costing, error) || !strat_et_order(et, error) ||
        !strat_et_find_groups(et, dimensions, lengths ? lengths->len : 0, error))
        return NULL;
    return strat_et_replay(et, &scenario->trace.plan, &costing, error);
}

/* Puts @node behind the last and @after (an id + 1; 0: nothing); returns its id + 1. */
static uint64_t put(GByteArray *file, uint64_t *next, ToyEtNode node, uint64_t after)
{
    node.id = (*next)++;
    node.data[0] = after;
    toy_et_append(file, &node);
    return node.id + 1;
}

GByteArray *toy_et_transformer(uint32_t rank, uint32_t ranks, uint32_t tensor, uint32_t layers)
{
    GByteArray *file = toy_et_file(NULL, 0);
    g_autoptr(GString) values = g_string_new("['[{\"pg_name\": \"tp\", \"ranks\": [");
    for (uint32_t i = 0; i < tensor; i++)
        g_string_append_printf(values, "%s%u", i ? ", " : "", rank / tensor * tensor + i);
    g_string_append(values, "]}, {\"pg_name\": \"dp\", \"ranks\": [");
    for (uint32_t i = rank % tensor; i < ranks; i += tensor)
        g_string_append_printf(values, "%s%u", i >= tensor ? ", " : "", i);
    g_string_append(values, "]}]']");
    uint64_t next = 0, at = 0, reduced = 0;
    put(file, &next,
        (ToyEtNode){
            .type = TOY_ET_METADATA, .name = "## process_group:init ##", .values = values->str},
        0);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t layer = 0; layer < layers; layer++) {
            const char *const names[2][2] = {
                {"attention, forward", "mlp, forward"       },
                {"mlp, backward",      "attention, backward"}
            };
            for (int half = 0; half < 2; half++) {
                uint64_t work = pass ? 2 : 1;
                at = put(file, &next,
                         (ToyEtNode){.type = TOY_ET_COMP,
                                     .name = names[pass][half],
                                     .us = 500 * work,
                                     .ops = 400000000000 * work,
                                     .bytes = 100000000 * work},
                         at);
                at = put(file, &next,
                         (ToyEtNode){.type = TOY_ET_COLL,
                                     .name = "tensor all-reduce",
                                     .size = 16 << 20,
                                     .group = "tp"},
                         at);
            }
            if (pass == 1)
                reduced = put(
                    file, &next,
                    (ToyEtNode){
                        .type = TOY_ET_COLL, .name = "gradients", .size = 64 << 20, .group = "dp"},
                    at);
        }
    }
    ToyEtNode update = {
        .id = next,
        .type = TOY_ET_COMP,
        .name = "optimizer",
        .us = 50,
        .bytes = 100000000,
        .data = {at, reduced}
    };
    toy_et_append(file, &update);
    return file;
}
