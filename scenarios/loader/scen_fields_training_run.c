/* The table of `training_run:`: what the training is to reach. */
#include "scen_fields.h"
#include "strat_large_batch.h"

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, StratTarget, member, of_kind, __VA_ARGS__)

static const ScenField critical_fields[] = {
    FIELD("law", law, SCEN_TEXT, .required = true, .help = "a row of orrery list batch-laws"),
    FIELD("tokens", critical_tokens, SCEN_NUMBER, .max = 1e12,
          .help = "law given: the critical batch, in tokens"),
    FIELD("loss", loss, SCEN_NUMBER, .max = 20.0,
          .help = "law kaplan-2020: loss at which it is read off, in nats a token"),
};

static const ScenTable critical_table = {
    .what = "critical_batch",
    .fields = critical_fields,
    .count = G_N_ELEMENTS(critical_fields),
    .size = sizeof(StratTarget),
};

static const ScenField fields[] = {
    FIELD("tokens", tokens, SCEN_NUMBER, .required = true, .min = 1.0, .max = 1e18,
          .help = "that a small batch needs to the target"),
    {.key = "critical_batch",
                                                      .kind = SCEN_MAP,
                                                      .table = &critical_table,
                                                      .required = true,
                                                      .help = "beyond which more tokens are needed"},
};

/* What each law reads must be there, and nothing else. */
static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    const StratTarget *target = out;
    g_autoptr(GError) error = NULL;
    if (!target->law)
        return;
    const StratBatchLaw *law = strat_batch_law_by_name(target->law, &error);
    if (!law)
        scen_bind_fail(binder, map, "critical_batch", "%s", error->message);
    else if (law->needs_tokens != (target->critical_tokens > 0.0))
        scen_bind_fail(binder, map, "critical_batch", "critical_batch.tokens is %s law %s",
                       law->needs_tokens ? "needed by" : "not read by", law->name);
    else if (law->needs_loss != (target->loss > 0.0))
        scen_bind_fail(binder, map, "critical_batch", "critical_batch.loss is %s law %s",
                       law->needs_loss ? "needed by" : "not read by", law->name);
}

const ScenTable scen_training_run_table = {
    .what = "training_run",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratTarget),
    .finish = finish,
};
