/* The table of what was published: a step time of training, figures of serving, or figures of
 * failures (scen_fields_figure.c). */
#include "scen_expect.h"
#include "scen_fields.h"

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenExpect, member, of_kind, __VA_ARGS__)
#define TIME(key, metric, ...)                                                                     \
    FIELD(key, served[metric], SCEN_QUANTITY, .dimension = SCEN_TIME_S, __VA_ARGS__)
#define RATE(key, metric, ...)                                                                     \
    FIELD(key, served[metric], SCEN_NUMBER, .min = 1e-12, .max = 1e15, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("step_time", step_time_s, SCEN_QUANTITY, .dimension = SCEN_TIME_S,
          .help = "published time of one training step, in s"),
    FIELD("peak_allocated", peak_allocated_bytes, SCEN_QUANTITY, .dimension = SCEN_DATA_BYTES,
          .help = "published peak of a GPU's allocated memory"),
    FIELD("peak_reserved", peak_reserved_bytes, SCEN_QUANTITY, .dimension = SCEN_DATA_BYTES,
          .help = "the same of what the allocator reserved"),
    FIELD("slowdown", slowdown_fraction, SCEN_NUMBER, .min = 1e-12, .max = 1e3,
          .help = "by which faults: lengthen the step, 0.056 for 5.6 %"),
    FIELD("figures", figures, SCEN_ROWS, .table = &scen_figure_table,
          .help = "published figures of failures (orrery list figures)"),
    TIME("ttft", SCEN_METRIC_TTFT, .help = "time to first token, mean, in s"),
    TIME("tpot", SCEN_METRIC_TPOT, .help = "time of each further token, mean, in s"),
    TIME("itl", SCEN_METRIC_ITL, .help = "gap between tokens, mean, in s"),
    TIME("e2e", SCEN_METRIC_E2E, .help = "time to the last token, mean, in s"),
    TIME("ttft_p50", SCEN_METRIC_TTFT_P50, .help = "time to first token, median, in s"),
    TIME("tpot_p50", SCEN_METRIC_TPOT_P50, .help = "time of each further token, median, in s"),
    TIME("itl_p50", SCEN_METRIC_ITL_P50, .help = "gap between tokens, median, in s"),
    TIME("ttft_p99", SCEN_METRIC_TTFT_P99, .help = "time to first token, 99 % quantile, in s"),
    TIME("tpot_p99", SCEN_METRIC_TPOT_P99, .help = "time of each further token, likewise, in s"),
    TIME("e2e_p99", SCEN_METRIC_E2E_P99, .help = "time to the last token, likewise, in s"),
    TIME("stall", SCEN_METRIC_STALL, .help = "gap between tokens around an outage, mean, in s"),
    RATE("output_tokens_per_s", SCEN_METRIC_OUTPUT_RATE, .help = "of the whole run"),
    RATE("input_tokens_per_s", SCEN_METRIC_INPUT_RATE, .help = "of the whole run"),
    RATE("total_tokens_per_s", SCEN_METRIC_TOTAL_RATE, .help = "of the whole run"),
    RATE("output_tokens_per_s_per_gpu", SCEN_METRIC_OUTPUT_RATE_PER_GPU,
         .help = "of those that decode"),
    RATE("input_tokens_per_s_per_gpu", SCEN_METRIC_INPUT_RATE_PER_GPU,
         .help = "of those that do prompts"),
    RATE("requests_per_s", SCEN_METRIC_REQUEST_RATE, .help = "of the whole run"),
    RATE("tokens_per_s_per_user", SCEN_METRIC_USER_RATE, .help = "1 / TPOT"),
    RATE("speculation_speedup", SCEN_METRIC_SPEEDUP,
         .help = "TPOT without speculation over that with it"),
    RATE("usd_per_million_input_tokens", SCEN_METRIC_USD_INPUT, .help = "in $"),
    RATE("usd_per_million_output_tokens", SCEN_METRIC_USD_OUTPUT, .help = "in $"),
    RATE("usd_per_day", SCEN_METRIC_USD_DAY, .help = "of the deployment, in $"),
    FIELD("timeseries", timeseries, SCEN_TEXT,
          .help = "CSV of running and waiting requests and KV use over time, from this folder"),
    FIELD("source", source, SCEN_TEXT, .help = "who published it, and where"),
    FIELD("definition", definition, SCEN_TEXT,
          .help = "measured, converted, or inverted from FLOP/s, in words"),
    FIELD("group", group, SCEN_TEXT, .help = "rows summarised together"),
};

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    (void)map;
    scen_bind_path(binder, &((ScenExpect *)out)->timeseries);
}

const ScenTable scen_expect_table = {
    .what = "expect",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenExpect),
    .finish = finish,
};

bool scen_expect_serves(const ScenExpect *expect)
{
    for (int m = 0; m < SCEN_METRIC_COUNT; m++)
        if (expect->served[m] > 0.0)
            return true;
    return false;
}

void scen_expect_clear(ScenExpect *expect)
{
    if (expect->figures)
        g_array_unref(expect->figures);
    *expect = (ScenExpect){0};
}
