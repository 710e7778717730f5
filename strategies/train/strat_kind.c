/* Names of the kinds of costs. An interval counts errors within a kind as one and errors of
 * different kinds as independent, so a kind is what one measurement, one library or one wire is
 * behind. */
#include "strat_kind.h"

static const struct {
    const char *key, *title;
} names[STRAT_KIND_COUNT] = {
    [STRAT_KIND_PRODUCTS] = {"matrix_products",         "matrix products"},
    [STRAT_KIND_ATTENTION] = {"fused_attention",         "fused attention"},
    [STRAT_KIND_PASSES] = {"memory_passes",           "memory passes"  },
    [STRAT_KIND_SCALE_UP] = {"scale_up_communication",  "scale-up comm." },
    [STRAT_KIND_SCALE_OUT] = {"scale_out_communication", "scale-out comm."},
    [STRAT_KIND_HOST] = {"host",                    "host"           },
    [STRAT_KIND_SCHEDULE] = {"schedule",                "schedule"       },
    [STRAT_KIND_SOFTWARE] = {"software",                "software"       },
    [STRAT_KIND_GUESSES] = {"guesses",                 "guesses of plan"},
};

const char *strat_kind_key(StratKind kind)
{
    return names[kind].key;
}

const char *strat_kind_title(StratKind kind)
{
    return names[kind].title;
}
