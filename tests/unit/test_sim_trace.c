/*
 * The trace as a viewer would read it: valid JSON whatever the names, exact times, segments, and
 * arrows that tie a send to what waited for it.
 */
#include <criterion/criterion.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "sim_error.h"
#include "sim_trace.h"

static void begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    (void)net;
    sim_exec_finish_at(exec, token, now + transfer);
}

/* Two classes, a block of two segments, a send to the other class. */
static SimProgram *small_program(const char *label)
{
    SimProgram *p = sim_program_new();
    uint16_t bucket = sim_program_bucket(p, "matmul \"big\"");
    uint16_t named = sim_program_label(p, label);
    SimSegment segments[] = {
        {.duration_ns = 1234567,        .bucket = bucket, .label = named},
        {                .duration_ns = 0,             .bucket = bucket,   .label = named              },
        { .duration_ns = 9, .bucket = bucket,          .label = sim_program_label(p,               "tail")},
    };
    SimOp op = {.group = SIM_GROUP_NONE, .block = sim_program_add_block(p, segments, 3)};
    op.rank_class = sim_program_add_class(p, "stage\t0", 4);
    uint32_t first = sim_program_add_op(p, &op);
    op.stream = sim_program_add_stream(p, op.rank_class, "p2p");
    op.kind = SIM_OP_SEND;
    op.transfer = 500;
    uint32_t send = sim_program_add_op(p, &op);
    sim_program_add_dep(p, send, first);
    op = *sim_program_op(p, first);
    op.rank_class = sim_program_add_class(p, "stage 1", 4);
    sim_program_add_dep(p, sim_program_add_op(p, &op), send);
    cr_assert(sim_program_seal(p, NULL));
    return p;
}

static bool write_trace(const SimProgram *p, const SimRun *run, FILE *file, GError **error)
{
    SimEvents *events = sim_events_new(file);
    sim_trace_write(&(SimTraceView){.program = p, .run = run}, events);
    return sim_events_close(events, error);
}

static char *trace_of(const SimProgram *p)
{
    SimNet net = {.begin = begin};
    g_autoptr(SimRun) run = sim_exec_run(p, &net, NULL);
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    cr_assert(write_trace(p, run, file, NULL));
    fclose(file);
    return text;
}

/* How many events of phase @phase there are; the last one into @out. */
static int find_phase(JsonArray *events, const char *phase, JsonObject **out)
{
    int found = 0;
    for (guint i = 0; i < json_array_get_length(events); i++) {
        JsonObject *event = json_array_get_object_element(events, i);
        if (strcmp(json_object_get_string_member(event, "ph"), phase) == 0) {
            found++;
            *out = event;
        }
    }
    return found;
}

Test(sim_trace, parses_and_says_what_happened)
{
    g_autoptr(SimProgram) p = small_program("quote \" slash \\ newline \n");
    char *text = trace_of(p);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    cr_assert(json_parser_load_from_data(parser, text, -1, &error), "%s",
              error ? error->message : "");
    JsonArray *events = json_object_get_array_member(
        json_node_get_object(json_parser_get_root(parser)), "traceEvents");
    JsonObject *event = NULL;
    cr_expect(find_phase(events, "X", &event) == 7, "two blocks of two segments, a send");
    cr_expect(find_phase(events, "M", &event) == 10, "2 classes and 3 streams, name and order");
    cr_assert(find_phase(events, "s", &event) == 1);
    int64_t id = json_object_get_int_member(event, "id");
    cr_expect(json_object_get_int_member(event, "pid") == 1);
    cr_assert(find_phase(events, "f", &event) == 1);
    cr_expect(json_object_get_int_member(event, "id") == id);
    cr_expect(json_object_get_int_member(event, "pid") == 2);
    free(text);
}

Test(sim_trace, times_are_exact_to_the_nanosecond)
{
    g_autoptr(SimProgram) p = small_program("head");
    char *text = trace_of(p);
    cr_expect(strstr(text, "\"name\":\"head\",\"ts\":0.000,\"dur\":1234.567") != NULL);
    cr_expect(strstr(text, "\"name\":\"tail\",\"ts\":1234.567,\"dur\":0.009") != NULL);
    cr_expect(strstr(text, "\"name\":\"head\",\"ts\":1234.576,\"dur\":0.500") != NULL);
    free(text);
}

Test(sim_trace, past_the_bound_a_class_shows_a_block_once)
{
    g_autoptr(SimProgram) p = sim_program_new();
    const SimSegment segments[] = {{.duration_ns = 5}, {.duration_ns = 7}};
    SimOp op = {.group = SIM_GROUP_NONE};
    op.label = sim_program_label(p, "task");
    sim_program_bucket(p, "work");
    op.block = sim_program_add_block(p, segments, 2);
    for (int class = 0; class < 2; class ++) {
        op.rank_class = sim_program_add_class(p, "stage", 1);
        for (int i = 0; i < 3; i++)
            sim_program_add_op(p, &op);
    }
    cr_assert(sim_program_seal(p, NULL));
    g_autoptr(SimRun) run = sim_exec_run(p, NULL, NULL);
    const struct {
        uint64_t most, left_out;
        int slices;
    } cases[] = {
        {12, 0, 18},
        {0,  0, 18},
        {11, 8, 10}
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *text = NULL;
        size_t length = 0;
        FILE *file = open_memstream(&text, &length);
        SimEvents *events = sim_events_new(file);
        SimTraceView view = {.program = p, .run = run, .segments_most = cases[i].most};
        uint64_t left_out = sim_trace_write(&view, events);
        cr_assert(sim_events_close(events, NULL) && fclose(file) == 0);
        g_auto(GStrv) parts = g_strsplit(text, "\"ph\":\"X\"", -1);
        cr_expect(left_out == cases[i].left_out, "case %zu: %d", i, (int)left_out);
        cr_expect((int)g_strv_length(parts) - 1 == cases[i].slices, "case %zu: %u slices", i,
                  g_strv_length(parts) - 1);
        free(text);
    }
}

Test(sim_trace, names_that_are_not_utf8_still_give_json)
{
    g_autoptr(SimProgram) p = small_program("caf\xe9 \x01");
    char *text = trace_of(p);
    g_autoptr(JsonParser) parser = json_parser_new();
    cr_expect(g_utf8_validate(text, -1, NULL));
    cr_expect(json_parser_load_from_data(parser, text, -1, NULL));
    free(text);
}

Test(sim_trace, a_file_that_cannot_be_written_is_an_error)
{
    g_autoptr(SimProgram) p = small_program("head");
    SimNet net = {.begin = begin};
    g_autoptr(SimRun) run = sim_exec_run(p, &net, NULL);
    g_autoptr(GError) error = NULL;
    FILE *full = fopen("/dev/full", "w");
    cr_assert(full != NULL);
    cr_expect(!write_trace(p, run, full, &error));
    cr_expect(g_error_matches(error, SIM_ERROR, SIM_ERROR_WRITE));
    fclose(full);
}
