/* Names, units and definitions of the figures of serving. Benchmarks call different things by one
 * name, so each has one definition here, and it is printed wherever the figure is. */
#include "scen_metric.h"

static const struct {
    const char *key, *unit;
    double scale;
    const char *definition;
} metrics[] = {
    [SCEN_METRIC_TTFT] = {"ttft",                          "ms",        1e-3, "arrival to first token, mean over requests"},
    [SCEN_METRIC_TPOT] = {"tpot",                          "ms",        1e-3,
                          "(end to end - TTFT) / (output tokens - 1), mean over requests"                                 },
    [SCEN_METRIC_ITL] = {"itl",                           "ms",        1e-3, "gap between two tokens, mean over tokens"  },
    [SCEN_METRIC_E2E] = {"e2e",                           "ms",        1e-3, "arrival to last token, mean over requests" },
    [SCEN_METRIC_TTFT_P50] = {"ttft_p50",                      "ms",        1e-3, "arrival to first token, median"            },
    [SCEN_METRIC_TPOT_P50] = {"tpot_p50",                      "ms",        1e-3,
                          "(end to end - TTFT) / (output tokens - 1), median"                                             },
    [SCEN_METRIC_ITL_P50] = {"itl_p50",                       "ms",        1e-3, "gap between two tokens, median"            },
    [SCEN_METRIC_TTFT_P99] = {"ttft_p99",                      "ms",        1e-3, "arrival to first token, 99 % quantile"     },
    [SCEN_METRIC_TPOT_P99] = {"tpot_p99",                      "ms",        1e-3,
                          "(end to end - TTFT) / (output tokens - 1), 99 % quantile"                                      },
    [SCEN_METRIC_E2E_P99] = {"e2e_p99",                       "ms",        1e-3, "arrival to last token, 99 % quantile"      },
    [SCEN_METRIC_STALL] =
        {"stall",                         "ms",        1e-3,
                          "gap between two tokens around an outage, mean over requests hurt that had a token"             },
    [SCEN_METRIC_OUTPUT_RATE] = {"output_tokens_per_s",           "tok/s",     1.0,
                          "output tokens over the time to the last of them"                                               },
    [SCEN_METRIC_INPUT_RATE] = {"input_tokens_per_s",            "tok/s",     1.0,
                          "prompt tokens, cached ones counted, over the same time"                                        },
    [SCEN_METRIC_TOTAL_RATE] = {"total_tokens_per_s",            "tok/s",     1.0,
                          "prompt and output tokens over the same time"                                                   },
    [SCEN_METRIC_OUTPUT_RATE_PER_GPU] = {"output_tokens_per_s_per_gpu",   "tok/s/GPU", 1.0,
                          "output tokens over that time and the GPUs that decode"                                         },
    [SCEN_METRIC_INPUT_RATE_PER_GPU] = {"input_tokens_per_s_per_gpu",    "tok/s/GPU", 1.0,
                          "prompt tokens over that time and the GPUs that do "
                                        "prompts"                                                                         },
    [SCEN_METRIC_REQUEST_RATE] = {"requests_per_s",                "req/s",     1.0,
                          "finished requests over the time to the last token"                                             },
    [SCEN_METRIC_USER_RATE] = {"tokens_per_s_per_user",         "tok/s",     1.0,  "1 / TPOT"                                  },
    [SCEN_METRIC_SPEEDUP] = {"speculation_speedup",           "x",         1.0,
                          "TPOT without speculation over that with it"                                                    },
    [SCEN_METRIC_USD_INPUT] = {"usd_per_million_input_tokens",  "$/Mtok",    1.0,
                          "GPU-seconds of prompts, with their share of idle time"                                         },
    [SCEN_METRIC_USD_OUTPUT] = {"usd_per_million_output_tokens", "$/Mtok",    1.0,
                          "GPU-seconds of decoding, with their share of idle time"                                        },
    [SCEN_METRIC_USD_DAY] = {"usd_per_day",                   "$/day",     1.0,
                          "the deployment, for 24 hours of such traffic"                                                  },
};
_Static_assert(sizeof metrics / sizeof metrics[0] == SCEN_METRIC_COUNT, "a row for each metric");

const char *scen_metric_key(ScenMetric metric)
{
    return metrics[metric].key;
}

const char *scen_metric_unit(ScenMetric metric)
{
    return metrics[metric].unit;
}

double scen_metric_scale(ScenMetric metric)
{
    return metrics[metric].scale;
}

const char *scen_metric_definition(ScenMetric metric)
{
    return metrics[metric].definition;
}

bool scen_metric_is_time(ScenMetric metric)
{
    return metric <= SCEN_METRIC_STALL;
}
