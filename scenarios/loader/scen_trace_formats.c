/* The table of trace formats. A format is told by its names: the first one whose arrival and
 * lengths (or turns) are all in the first line. */
#include "scen_trace_row.h"

#include "scen_errors.h"

/* clang-format off */
static const ScenTraceFormat formats[] = {
    {.name = "csv",
     .source = "Orrery's own: one request a row",
     .names = {"arrival_s", "input_tokens", "output_tokens", "session", "priority",
               [SCEN_TRACE_SAMPLES] = "samples"},
     .unit_s = 1.0},
    {.name = "azure",
     .source = "Azure Public Dataset, LLM inference traces 2023 and 2024",
     .names = {"TIMESTAMP", "ContextTokens", "GeneratedTokens"},
     .from_first = true,
     .skips_failed = true},
    {.name = "burstgpt",
     .source = "BurstGPT v1 to v3 (Wang et al. 2024); v3 has sessions",
     .names = {"Timestamp", "Request tokens", "Response tokens", "Session ID"},
     .unit_s = 1.0,
     .skips_failed = true},
    {.name = "vidur",
     .source = "Vidur (Agrawal et al. 2024), processed traces",
     .names = {"arrived_at", "num_prefill_tokens", "num_decode_tokens"},
     .unit_s = 1.0},
    {.name = "mooncake",
     .source = "Mooncake (Qin et al. 2025): hash_ids are pages of 512 tokens",
     .json = true,
     .names = {"timestamp", "input_length", "output_length", [SCEN_TRACE_PAGES] = "hash_ids"},
     .unit_s = 1e-3,
     .skips_failed = true,
     .page_tokens = 512},
    {.name = "llmservingsim",
     .source = "LLMServingSim 2.0 workloads, plain and agentic",
     .json = true,
     .names = {"arrival_time_ns", "input_toks", "output_toks",
               [SCEN_TRACE_TURNS] = "sub_requests", [SCEN_TRACE_TOOL] = "tool_duration_ns"},
     .unit_s = 1e-9},
    {.name = "vllm-log",
     .source = "a vLLM run's requests as the engine queued them",
     .json = true,
     .names = {"queued_ts", "input_toks", "output_toks"},
     .unit_s = 1.0,
     .from_first = true},
};
/* clang-format on */

const ScenTraceFormat *scen_trace_formats(size_t *count)
{
    *count = G_N_ELEMENTS(formats);
    return formats;
}

const ScenTraceFormat *scen_trace_format_by_name(const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (g_str_equal(formats[i].name, name))
            return &formats[i];
        g_string_append_printf(known, "%s%s", i ? ", " : "", formats[i].name);
    }
    g_autofree char *quoted = scen_quote(name);
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "unknown trace format %s, known: %s", quoted,
                known->str);
    return NULL;
}
