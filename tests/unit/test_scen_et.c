/* Reading execution traces: both forms, every fault with its file and node. */
#include "toy_et.h"

#include <criterion/criterion.h>
#include <string.h>

static StratEt *read_bytes(const void *bytes, size_t length, GError **error)
{
    g_autoptr(StratEt) et = strat_et_new();
    return scen_et_read_rank(et, "t.0.et", bytes, length, error) ? g_steal_pointer(&et) : NULL;
}

static void expect_error(GByteArray *file, const char *want)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StratEt) et = read_bytes(file->data, file->len, &error);
    cr_expect(!et, "not refused: %s", want);
    cr_expect(error && strstr(error->message, want), "got '%s', want '%s'",
              error ? error->message : "", want);
    g_byte_array_unref(file);
}

Test(scen_et, a_node_is_read_with_all_that_it_says)
{
    const ToyEtNode nodes[] = {
        {.id = 7,     .type = TOY_ET_COMP, .name = "matmul", .us = 5, .ops = 1000, .bytes = 64},
        {.id = 9,
         .type = TOY_ET_COLL,
         .collective = STRAT_ET_ALL_GATHER,
         .size = 1 << 20,
         .group = "3",
         .data = {8},
         .ctrl = {8}},
        {.id = 10, .type = TOY_ET_SEND,                      .size = 12,                                      .peer = 4,                                      .tag = 2                             },
    };
    GByteArray *file = toy_et_file(nodes, G_N_ELEMENTS(nodes));
    g_autoptr(GError) error = NULL;
    g_autoptr(StratEt) et = read_bytes(file->data, file->len, &error);
    cr_assert(et, "%s", error ? error->message : "");
    const StratEtRank *rank = g_ptr_array_index(et->ranks, 0);
    cr_assert_eq(rank->nodes->len, 3);
    const StratEtNode *a = strat_et_node(rank, 0), *b = strat_et_node(rank, 1);
    const StratEtNode *c = strat_et_node(rank, 2);
    cr_expect_eq(a->kind, STRAT_ET_COMPUTE);
    cr_expect_eq(a->id, 7);
    cr_expect_eq(a->duration_us, 5);
    cr_expect_eq((uint64_t)a->work.flop, 1000);
    cr_expect_eq(a->work.bytes, 64);
    cr_expect_str_eq(g_ptr_array_index(et->names, a->name), "matmul");
    cr_expect_eq(b->collective, STRAT_ET_ALL_GATHER);
    cr_expect_eq(b->comm.bytes, 1 << 20);
    cr_expect_str_eq(g_ptr_array_index(et->names, b->comm.group), "3");
    cr_expect_eq(b->dep_count, 2);
    cr_expect_eq(c->comm.peer, 4);
    cr_expect_eq(c->comm.tag, 2);
    g_byte_array_unref(file);
}

Test(scen_et, the_json_form_says_the_same)
{
    static const char text[] =
        "{\"workload_graph\": [{\"Id\": 7, \"Name\": \"matmul\", \"NodeType\": 4, \"runtime\": 5,"
        " \"is_cpu_op\": false, \"data_deps\": []}, {\"Id\": 9, \"Name\": \"ar\", \"NodeType\": 7,"
        " \"is_cpu_op\": false, \"comm_type\": 0, \"comm_size\": 1024, \"pg_name\": \"1\","
        " \"data_deps\": [7]}]}";
    g_autoptr(GError) error = NULL;
    g_autoptr(StratEt) et = read_bytes(text, strlen(text), &error);
    cr_assert(et, "%s", error ? error->message : "");
    const StratEtRank *rank = g_ptr_array_index(et->ranks, 0);
    cr_assert_eq(rank->nodes->len, 2);
    cr_expect_eq(strat_et_node(rank, 0)->duration_us, 5);
    cr_expect_eq(strat_et_node(rank, 1)->comm.bytes, 1024);
    cr_expect_eq(g_array_index(rank->dep_ids, uint64_t, 0), 7);
}

Test(scen_et, unknown_fields_and_attributes_do_no_harm)
{
    /* Metadata of the first schema (an attribute in field 1), then a node with a field 11, a list of
     * int64 (field 10 of an attribute) and a field 99. */
    static const uint8_t bytes[] = {
        4,    0x0a, 2,    0x0a, 0,                                    /* GlobalMetadata */
        22,   0x08, 3,    0x18, 4,   0x38, 6, 0x5a, 2, 0x08, 1,       /* id, type, 6 us, 11 */
        0x52, 7,    0x0a, 1,    'x', 0x52, 2, 0x0a, 0, 0x98, 0x06, 1, /* attribute x: list; 99 */
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(StratEt) et = read_bytes(bytes, sizeof bytes, &error);
    cr_assert(et, "%s", error ? error->message : "");
    const StratEtNode *node = strat_et_node(g_ptr_array_index(et->ranks, 0), 0);
    cr_expect_eq(node->id, 3);
    cr_expect_eq(node->duration_us, 6);
}

Test(scen_et, damaged_files_are_refused_where_they_are_damaged)
{
    const ToyEtNode node = {.id = 1, .type = TOY_ET_COMP, .us = 5};
    GByteArray *cut = toy_et_file(&node, 1);
    g_byte_array_set_size(cut, cut->len - 3);
    expect_error(cut, "t.0.et: byte 8: a message of");
    GByteArray *length = toy_et_file(&node, 1);
    g_byte_array_append(length, (const uint8_t *)"\x80", 1);
    expect_error(length, "no length of a message");
    GByteArray *broken = toy_et_file(&node, 1);
    g_byte_array_append(broken, (const uint8_t *)"\x02\x0a\x7f", 3);
    expect_error(broken, "message 1 of 2 bytes is no node");
    expect_error(g_byte_array_new(), "the file is empty");
    GByteArray *packed = g_byte_array_new();
    g_byte_array_append(packed, (const uint8_t *)"\x1f\x8b\x08\x00\x00", 5);
    expect_error(packed, "t.0.et: ");
    GByteArray *old = g_byte_array_new();
    g_byte_array_append(old, (const uint8_t *)"\x02\x08\x01", 3);
    expect_error(old, "schema of 2022 or 2023");
}

Test(scen_et, nodes_that_make_no_sense_are_refused_by_name)
{
    const struct {
        ToyEtNode node;
        const char *want;
    } cases[] = {
        {{.id = 5, .name = "odd", .type = 11},                                       "t.0.et: node 5 'odd': has type 11, known: 0 to 10"},
        {{.id = 5, .type = TOY_ET_COLL, .collective = 10},                           "comm_type 10, which is no collective"             },
        {{.id = 5, .type = TOY_ET_COMP, .bytes = UINT64_C(1) << 60},                 "absurd"                                           },
        {{.id = 5, .type = TOY_ET_METADATA, .values = "['[{\"pg_name\": \"1\"}]']"},
         "process group 0 needs a pg_name and a list of ranks"                                                                          },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        expect_error(toy_et_file(&cases[i].node, 1), cases[i].want);
}

Test(scen_et, graphs_that_make_no_sense_are_refused)
{
    const struct {
        ToyEtNode nodes[3];
        const char *want;
    } cases[] = {
        {{{.id = 1, .type = TOY_ET_COMP}, {.id = 1, .type = TOY_ET_COMP}, {.id = 3}},
         "t.0.et: node 1 'n': another node has this id"    },
        {{{.id = 1, .type = TOY_ET_COMP, .data = {10}}, {.id = 2}, {.id = 3}},
         "node 1 'n': waits for node 9, which is not there"},
        {{{.id = 1, .data = {4}}, {.id = 2, .data = {2}}, {.id = 3, .ctrl = {3}}},
         "waits for itself: 1 -> 3 -> 2 -> 1"              },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GByteArray *file = toy_et_file(cases[i].nodes, 3);
        g_autoptr(GError) error = NULL;
        g_autoptr(StratEt) et = read_bytes(file->data, file->len, &error);
        cr_assert(et, "%s", error ? error->message : "");
        cr_expect(!strat_et_order(et, &error));
        cr_expect(error && strstr(error->message, cases[i].want), "got '%s', want '%s'",
                  error ? error->message : "", cases[i].want);
        g_byte_array_unref(file);
    }
}
