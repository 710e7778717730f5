/* Traces: each format from a literal file, every mistake with its message, replay (scale, limit,
 * passes, agents), and the real files where they are present. */
#include "scen_errors.h"
#include "scen_trace.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

/* The source of @text as a file called "t". */
static StratSource *open_text(const char *text, const ScenTraceOptions *options, GError **error)
{
    FILE *file = tmpfile();
    cr_assert(fwrite(text, 1, strlen(text), file) == strlen(text));
    rewind(file);
    return scen_trace_new(scen_lines_new(file, "t"), options, error);
}

/* All requests of @text, each answered @service after it arrived. */
static GArray *read_all(const char *text, ScenTraceOptions options, SimTime service)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StratSource) source = open_text(text, &options, &error);
    cr_assert_not_null(source, "%s", error ? error->message : "");
    GArray *all = g_array_new(FALSE, FALSE, sizeof(StratRequest));
    for (const StratRequest *next = source->peek(source); next; next = source->peek(source)) {
        StratRequest kept = *next;
        g_array_append_val(all, kept);
        source->take(source);
        source->done(source, kept.id, kept.session, kept.arrival_ns + service);
    }
    cr_assert_null(source->fault(source), "%s", source->fault(source)->message);
    return all;
}

#define REQUEST(all, i) g_array_index(all, StratRequest, i)

static const char azure[] = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
                            "2023-11-16 23:59:59.6805900,374,44\n"
                            "2023-11-17 00:00:00.6805901,396,109\n"
                            "2023-11-17 00:00:01,5,0\n"
                            "2023-11-17 00:00:01.5,879,55";
static const char azure_2024[] = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
                                 "2024-02-29 23:59:59.680590+00:00,374,44\r\n"
                                 "2024-03-01 02:00:00.680590100+02:00,396,109\r\n"
                                 "\r\n"
                                 "2024-03-01T00:00:01.5Z,879,55\r\n";
static const char burst[] = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
                            "0,ChatGPT,374,44,418,Conversation log\n"
                            "0.5,ChatGPT,0,0,0,API log\n"
                            "1.0000001,GPT-4,396,109,505,API log\n"
                            "1.81940999999,GPT-4,879,55,934,API log\n";
static const char burst_3[] =
    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    "0,abc,1.2,ChatGPT,374,44,418,Conversation log\n"
    "1.0000001,,0.1,GPT-4,396,109,505,API log\n"
    "1.81941,abc,0.2,GPT-4,879,55.0,934,API log\n";
static const char vidur[] = ",arrived_at,num_prefill_tokens,num_decode_tokens,pd_ratio\n"
                            "0,0,374,44,8.5\n1,1.0000001,396,109,3\n2,1.81941,879,55,15\n";
static const char mooncake[] =
    "{\"timestamp\": 0, \"input_length\": 374, \"output_length\": 44, \"hash_ids\": [7]}\n"
    "\n"
    "{\"timestamp\": 1000.0001, \"input_length\": 396, \"output_length\": 109, \"hash_ids\": []}\n"
    "{\"hash_ids\":[46,47],\"output_length\":55,\"input_length\":879,\"timestamp\":1819.41}\n";
static const char simulator[] =
    "{\"input_toks\": 374, \"output_toks\": 44, \"arrival_time_ns\": 0, \"input_tok_ids\": [1, "
    "2]}\n"
    "{\"input_toks\": 396, \"output_toks\": 109, \"arrival_time_ns\": 1000000100}\n"
    "{\"input_toks\": 879, \"output_toks\": 55, \"arrival_time_ns\": 1.81941e9}\n";
static const char log_lines[] = "{\"request_id\": \"a\\\"b\", \"input_toks\": 374, "
                                "\"output_toks\": 44, \"queued_ts\": 9000.25}\n"
                                "{\"request_id\": \"c\", \"input_toks\": 396, \"output_toks\": "
                                "109, \"queued_ts\": 9001.2500001}\n"
                                "{\"input_toks\": 879, \"output_toks\": 55, \"queued_ts\": "
                                "9002.06941, \"x\": {\"y\": [null]}}\n";
static const char plain[] = "\xef\xbb\xbf"
                            "arrival_s,input_tokens,output_tokens,session,priority\n"
                            "0,374,44,4,0\n 1.0000001 ,396,109,,2\n\"1.81941\",879,55,4,\n";

Test(scen_trace, a_column_of_the_plain_format_asks_for_samples)
{
    g_autoptr(GArray) all = read_all("arrival_s,samples,input_tokens,output_tokens\n"
                                     "0,3,374,44\n1,,396,109\n",
                                     (ScenTraceOptions){.repeat = 1}, 0);
    cr_expect_eq(REQUEST(all, 0).samples, 3);
    cr_expect_eq(REQUEST(all, 0).output_tokens, 44);
    cr_expect_null(REQUEST(all, 0).sample_output);
    cr_expect_eq(REQUEST(all, 1).samples, 1);
}

/* clang-format off */
static const struct {
    const char *name, *text;
    int sessions; /* requests with one */
    size_t pages;
} good[] = {
    {"azure", azure, 0, 0},         {"azure", azure_2024, 0, 0},
    {"burstgpt", burst, 0, 0},      {"burstgpt", burst_3, 2, 0},
    {"vidur", vidur, 0, 0},         {"mooncake", mooncake, 0, 1},
    {"llmservingsim", simulator, 0, 0}, {"vllm-log", log_lines, 0, 0},
    {"csv", plain, 2, 0},
};
/* clang-format on */

/* All files above tell of the same three requests. */
static void check_requests(const char *name, const GArray *all, int sessions, size_t pages)
{
    static const int64_t inputs[] = {374, 396, 879}, outputs[] = {44, 109, 55};
    static const SimTime arrivals[] = {0, 1000000100, 1819410000};
    cr_assert_eq(all->len, 3, "%s: %u", name, all->len);
    int with_session = 0;
    for (guint i = 0; i < 3; i++) {
        const StratRequest *request = &REQUEST(all, i);
        cr_expect_eq(request->id, (int64_t)i);
        cr_expect_eq(request->arrival_ns, arrivals[i], "%s %u: %" G_GINT64_FORMAT, name, i,
                     request->arrival_ns);
        cr_expect_eq(request->input_tokens, inputs[i]);
        cr_expect_eq(request->output_tokens, outputs[i]);
        cr_expect_eq(request->adapter, -1);
        with_session += request->session >= 0;
    }
    cr_expect_eq(with_session, sessions, "%s", name);
    cr_expect(sessions == 0 || REQUEST(all, 0).session == REQUEST(all, 2).session);
    cr_expect_eq(REQUEST(all, 2).pages, pages, "%s", name); /* 879 tokens: one full page of 512 */
    cr_expect_eq(REQUEST(all, 0).pages, 0, "%s", name);
}

Test(scen_trace, each_format_is_read_and_told_by_its_first_line)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GArray) told = read_all(good[i].text, (ScenTraceOptions){0}, 0);
        g_autoptr(GArray) given =
            read_all(good[i].text, (ScenTraceOptions){.format = good[i].name}, 0);
        g_autoptr(GArray) cut = read_all(good[i].text, (ScenTraceOptions){.limit = 2}, 0);
        cr_expect_eq(cut->len, 2);
        /* The dates of 2023 lie 0.32 s elsewhere in the last row. */
        if (good[i].text == azure)
            REQUEST(told, 2).arrival_ns = REQUEST(given, 2).arrival_ns = 1819410000;
        check_requests(good[i].name, told, good[i].sessions, good[i].pages);
        check_requests(good[i].name, given, good[i].sessions, good[i].pages);
    }
}

Test(scen_trace, failed_requests_are_left_out_and_counted)
{
    g_autoptr(StratSource) source = open_text(burst, &(ScenTraceOptions){0}, NULL);
    while (source->peek(source))
        source->take(source);
    cr_expect_eq(scen_trace_skipped(source), 1);
}

/* clang-format off */
static const struct {
    const char *text, *format, *want;
} bad[] = {
    {"", NULL, "t:0: the trace is empty"},
    {"\n \r\n", NULL, "t:2: the trace is empty"},
    {"a,b\n1,2\n", NULL, "t:1:1: the first line is of no known trace format: csv (arrival_s,"
                         "input_tokens,output_tokens), azure ("},
    {"hello", "mooncake", "t:1:1: a trace of format mooncake has 'timestamp' in its first line"},
    {"arrived_at,num_prefill_tokens\n", "vidur",
     "t:1:1: a trace of format vidur has 'num_decode_tokens' in its first line"},
    {"x", "excel", "unknown trace format 'excel', known: csv, azure, burstgpt, vidur, mooncake, "
                   "llmservingsim, vllm-log"},
    {"arrival_s,input_tokens,output_tokens\n", NULL, "t:1: the trace holds no request"},
    {"arrival_s,input_tokens,output_tokens\n0,5\n", NULL, "t:2: 2 fields where the header has 3"},
    {"arrival_s,input_tokens,output_tokens\n0,5,x\n", NULL,
     "t:2:5: 'output_tokens' must be a whole number of tokens, 1 or more, not 'x'"},
    {"arrival_s,input_tokens,output_tokens\n0,5,0\n", NULL,
     "t:2:5: 'output_tokens' must be a whole number of tokens, 1 or more, not '0'"},
    {"arrival_s,input_tokens,output_tokens\n0,-5,1\n", NULL,
     "t:2:3: 'input_tokens' must be a whole number of tokens, 1 or more, not '-5'"},
    {"arrival_s,input_tokens,output_tokens\n0,1.5,1\n", NULL, "t:2:3: 'input_tokens' must be"},
    {"arrival_s,input_tokens,output_tokens\n0,,1\n", NULL, "t:2:3: 'input_tokens' must be"},
    {"arrival_s,input_tokens,output_tokens\n0,9999999999999,1\n", NULL,
     "t:2:3: 'input_tokens' must be a whole number of tokens, 1 or more, not '9999999999999'"},
    {"arrival_s,input_tokens,output_tokens\n-1,5,1\n", NULL,
     "t:2:1: 'arrival_s' must be a time that is a number, 0 or more, not '-1'"},
    {"arrival_s,input_tokens,output_tokens\nnan,5,1\n", NULL, "t:2:1: 'arrival_s' must be a time"},
    {"arrival_s,input_tokens,output_tokens\n0x1,5,1\n", NULL, "t:2:1: 'arrival_s' must be a time"},
    {"arrival_s,input_tokens,output_tokens\n1e99,5,1\n", NULL, "t:2:1: 'arrival_s' must be a time"},
    {"arrival_s,input_tokens,output_tokens,priority\n1,5,1,high\n", NULL,
     "t:2:7: 'priority' must be a whole number, not 'high'"},
    {"arrival_s,input_tokens,output_tokens,samples\n1,5,1,0\n", NULL,
     "t:2:7: 'samples' must be a whole number from 1 to 1000, not '0'"},
    {"arrival_s,input_tokens,output_tokens,samples\n1,5,1,1001\n", NULL,
     "t:2:7: 'samples' must be a whole number from 1 to 1000, not '1001'"},
    {"arrival_s,input_tokens,output_tokens\n2,5,1\n1.5,5,1\n", NULL,
     "t:3: arrives 0.5 s before the row above it: sort the trace by arrival"},
    {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-02-29 00:00:00,1,1\n", NULL,
     "t:2:1: 'TIMESTAMP' must be a date such as '2023-11-16 18:15:46.680', not '2023-02-29 "
     "00:00:00'"},
    {"TIMESTAMP,ContextTokens,GeneratedTokens\n17,1,1\n", NULL, "t:2:1: 'TIMESTAMP' must be a"},
    {"{\"timestamp\": 0, \"input_length\": 6, \"output_length\": 5, \"hash_ids\": [1, 2}\n", NULL,
     "t:1:74: expected ',' or ']', not '}'"},
    {"{\"timestamp\": 0, \"input_length\": 6, \"output_length\": 5, \"hash_ids\": [1, -2]}\n", NULL,
     "t:1:69: 'hash_ids' must be a list of whole numbers, not '[1, -2]'"},
    {"{\"timestamp\": 0, \"input_length\": 6, \"output_length\": 5}\n{\"timestamp\": 0,,}\n", NULL,
     "t:2:17: expected a text in double quotes, not ',}'"},
    {"{\"timestamp\": 0, \"input_length\": 6, \"output_length\": 5}\n{\"timestamp\": 0}\n", NULL,
     "t:2:1: missing key 'input_length'"},
    {"{\"timestamp\": 0, \"input_length\": 6, \"output_length\": 5}\n[]\n", NULL,
     "t:2:1: expected a map {...}, not '[]'"},
    {"{\"timestamp\": 0, \"input_length\": 6, \"output_length\": 5}\n{\"timestamp\": 0\n", NULL,
     "t:2:16: expected ',' or '}', not the end of the line"},
    {"{\"timestamp\": 0, \"input_length\": 6, \"output_length\": 5} x\n", NULL,
     "t:1:57: expected the end of the line"},
    {"{\"arrival_time_ns\": 0, \"sub_requests\": []}\n", NULL,
     "t:1:40: 'sub_requests' must be a list of at least one map, not '[]"},
    {"{\"arrival_time_ns\": 0, \"sub_requests\": [{\"input_toks\": 1}]}\n", NULL,
     "t:1:41: missing key 'output_toks'"},
};
/* clang-format on */

/* What is wrong with @text, at its start or on the way. */
static char *message_of(const char *text, const char *format)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StratSource) source = open_text(text, &(ScenTraceOptions){.format = format}, &error);
    while (source && source->peek(source))
        source->take(source);
    const GError *fault = source ? source->fault(source) : error;
    cr_assert_not_null(fault, "%s passed", text);
    cr_expect(g_error_matches(fault, SCEN_ERROR, SCEN_ERROR_WRONG));
    return g_strdup(fault->message);
}

Test(scen_trace, mistakes_are_told_with_their_place)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *message = message_of(bad[i].text, bad[i].format);
        cr_expect(g_str_has_prefix(message, bad[i].want), "case %zu: %s", i, message);
    }
}

Test(scen_trace, a_nul_and_an_endless_line_are_refused)
{
    static const char nul[] = "arrival_s,input_tokens,output_tokens\n0,1\0,1\n";
    FILE *file = tmpfile();
    fwrite(nul, 1, sizeof nul - 1, file);
    rewind(file);
    g_autoptr(GError) error = NULL;
    cr_assert_null(scen_trace_new(scen_lines_new(file, "t"), &(ScenTraceOptions){0}, &error));
    cr_expect_str_eq(error->message, "t:2:4: not a text file: a NUL");
    g_clear_error(&error);
    g_autofree char *endless = g_strnfill(SCEN_LINES_MAX + 10, 'x');
    g_autofree char *message = message_of(endless, NULL);
    cr_expect_str_eq(message, "t:1: the line is longer than 16 MiB");
    cr_assert_null(scen_trace_open("/nonexistent/x.csv", &(ScenTraceOptions){0}, &error));
    cr_expect_str_eq(error->message, "/nonexistent/x.csv: no such file");
    g_clear_error(&error);
    cr_assert_null(scen_trace_open("/", &(ScenTraceOptions){0}, &error));
    cr_expect_str_eq(error->message, "/: not a file");
}

Test(scen_trace, rate_and_passes_stretch_time)
{
    ScenTraceOptions options = {.rate_scale = 2.0, .repeat = 3};
    static const char text[] = "arrival_s,input_tokens,output_tokens,session\n"
                               "3,1,1,4\n4,1,1,5\n7,1,1,4\n";
    g_autoptr(GArray) all = read_all(text, options, 0);
    /* a pass is 4 s long, the mean gap 2 s */
    static const double want_s[] = {3, 4, 7, 9, 10, 13, 15, 16, 19};
    cr_assert_eq(all->len, 9);
    for (guint i = 0; i < 9; i++)
        cr_expect_eq(REQUEST(all, i).arrival_ns, (SimTime)(want_s[i] * 0.5e9));
    cr_expect_eq(REQUEST(all, 3).session, REQUEST(all, 5).session);
    cr_expect_neq(REQUEST(all, 3).session, REQUEST(all, 0).session);
    cr_expect_neq(REQUEST(all, 3).session, REQUEST(all, 6).session);
    options.limit = 4;
    g_autoptr(GArray) cut = read_all(text, options, 0);
    cr_expect_eq(cut->len, 4);
}

Test(scen_trace, a_fault_behind_the_limit_is_none)
{
    static const char text[] = "arrival_s,input_tokens,output_tokens\n1,1,1\n2,x,1\n";
    g_autoptr(GArray) all = read_all(text, (ScenTraceOptions){.limit = 1}, 0);
    cr_expect_eq(all->len, 1);
}

Test(scen_trace, page_ids_are_chained)
{
    static const char text[] =
        "{\"timestamp\":0,\"input_length\":1536,\"output_length\":1,\"hash_ids\":[1,2,3]}\n"
        "{\"timestamp\":0,\"input_length\":1535,\"output_length\":1,\"hash_ids\":[1,2,3]}\n"
        "{\"timestamp\":0,\"input_length\":1536,\"output_length\":1,\"hash_ids\":[1,4,3]}\n";
    ScenTraceOptions options = {.repeat = 2};
    g_autoptr(StratSource) source = open_text(text, &options, NULL);
    cr_expect_eq(source->page_tokens, 512);
    uint64_t page[6][3] = {{0}};
    static const size_t want[] = {3, 2, 3};
    for (size_t i = 0; i < 6; i++) {
        const StratRequest *request = source->peek(source);
        cr_assert_eq(request->pages, want[i % 3]);
        for (size_t k = 0; k < request->pages; k++)
            page[i][k] = request->page[k];
        source->take(source);
    }
    cr_expect_eq(page[0][0], page[1][0]);
    cr_expect_eq(page[0][1], page[1][1]);
    cr_expect_eq(page[0][0], page[2][0]);
    cr_expect_neq(page[0][1], page[2][1]);
    cr_expect_neq(page[0][2], page[2][2], "the same id after another page is another text");
    cr_expect_neq(page[0][0], page[3][0], "another pass is another text");
    cr_expect_eq(page[3][0], page[4][0]);
}

Test(scen_trace, an_agent_goes_on_after_its_tools)
{
    static const char text[] =
        "{\"session_id\": \"s1\", \"arrival_time_ns\": 100, \"sub_requests\": ["
        "{\"input_toks\": 10, \"output_toks\": 1, \"tool_duration_ns\": 50},"
        "{\"input_toks\": 20, \"output_toks\": 2, \"tool_duration_ns\": 0},"
        "{\"input_toks\": 30, \"output_toks\": 3}]}\n"
        "{\"input_toks\": 5, \"output_toks\": 5, \"arrival_time_ns\": 1060}\n"
        "{\"session_id\": \"s2\", \"arrival_time_ns\": 5000, \"sub_requests\": ["
        "{\"input_toks\": 40, \"output_toks\": 4, \"tool_duration_ns\": 9}]}\n";
    g_autoptr(StratSource) source = open_text(text, &(ScenTraceOptions){0}, NULL);
    const StratRequest *next = source->peek(source);
    cr_expect_eq(next->arrival_ns, 100);
    cr_expect_eq(next->input_tokens, 10);
    int64_t agent = next->session;
    cr_expect(agent >= 0);
    source->take(source);
    cr_expect_eq(source->peek(source)->arrival_ns, 1060, "its next turn waits for the answer");
    source->done(source, 0, agent, 1000);
    next = source->peek(source);
    cr_expect_eq(next->arrival_ns, 1050);
    cr_expect_eq(next->input_tokens, 20);
    cr_expect_eq(next->session, agent);
    source->take(source);
    cr_expect_eq(source->peek(source)->session, -1);
    source->take(source);
    source->done(source, 1, agent, 7000);
    cr_expect_eq(source->peek(source)->arrival_ns, 5000);
    cr_expect_neq(source->peek(source)->session, agent);
    source->take(source);
    next = source->peek(source);
    cr_expect_eq(next->arrival_ns, 7000);
    cr_expect_eq(next->output_tokens, 3);
    cr_expect_eq(next->id, 4);
    source->take(source);
    source->done(source, 4, agent, 8000);
    cr_expect_null(source->peek(source));
    cr_expect_null(source->fault(source));
}

/* Requests of the file @name of the shared folder; skips the test when it is absent. */
static int64_t count_shared(const char *name, int64_t *tokens, SimTime *end)
{
    g_autofree char *path = g_build_filename(SHARED_DIR, name, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        cr_skip_test("%s is absent", path);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratSource) source = scen_trace_open(path, &(ScenTraceOptions){0}, &error);
    cr_assert_not_null(source, "%s", error ? error->message : "");
    int64_t count = 0;
    *tokens = 0;
    for (const StratRequest *next = source->peek(source); next; next = source->peek(source)) {
        count++;
        *tokens += next->input_tokens + next->output_tokens;
        *end = next->arrival_ns;
        source->take(source);
    }
    cr_assert_null(source->fault(source), "%s", source->fault(source)->message);
    return count;
}

Test(scen_trace, the_real_files_are_read_whole)
{
    int64_t tokens = 0;
    SimTime end = 0;
    cr_expect_eq(count_shared("traces/mooncake_conversation.jsonl", &tokens, &end), 12031);
    cr_expect_eq(end, 3536999 * INT64_C(1000000));
    cr_expect_eq(count_shared("traces/azure_llm_2023_conv.csv", &tokens, &end), 19366);
    cr_expect_eq(count_shared("serving_truth/rtx4090_llama-3.1-8b/requests.jsonl", &tokens, &end),
                 300);
}
