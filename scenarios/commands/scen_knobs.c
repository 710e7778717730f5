/* Knobs: one change of the plan at a time.
 *
 * A row of the table turns one knob of a plan, or says that there is nothing to turn. A turned plan
 * counts only when it passes the checks of a scenario and fits in memory. Nothing here changes
 * what is learnt: batch, sequence, precision and model stay.
 *
 * A long step is not simulated in full for every variant. Past the first microbatches each further
 * group of g adds the same time (g = 1F1B: any number; interleaved: the pipeline's stages), so
 *
 *   T(M) = T(m) + (M - m) / g * (T(m) - T(m - g))
 *
 * is taken from three short steps a group apart when both differences agree to the nanosecond, and
 * when the same formula gives the scenario's own, fully simulated, step to the nanosecond. Where
 * that fails the formula only ranks the variants, and the best are simulated in full. */
#include "scen_knobs.h"

#include "scen_check.h"
#include "scen_plan_diff.h"
#include "scen_simulate.h"

#include <math.h>

enum {
    SHORT_OPERATIONS = 20000, /* a step of at most so many is simulated in full */
    GROUP = 4,                /* microbatches of a group where the schedule does not say */
    POINTS = 3,               /* short steps that a long one is drawn out from */
};

/* A step shorter by less than this fraction is no help. */
static const double LEAST_GAIN = 0.001;

typedef struct Knob {
    const char *text;
    bool (*turn)(StratPlan *plan); /* false: nothing to turn */
} Knob;

static bool turn_flash(StratPlan *plan)
{
    bool turned = plan->attention != STRAT_ATTENTION_FLASH;
    plan->attention = STRAT_ATTENTION_FLASH;
    return turned;
}

static bool turn_selective(StratPlan *plan)
{
    bool turned = plan->recompute == STRAT_RECOMPUTE_FULL;
    plan->recompute = STRAT_RECOMPUTE_SELECTIVE;
    return turned;
}

static bool turn_no_recompute(StratPlan *plan)
{
    bool turned = plan->recompute != STRAT_RECOMPUTE_NONE;
    plan->recompute = STRAT_RECOMPUTE_NONE;
    return turned;
}

static bool turn_sequence_parallel(StratPlan *plan)
{
    bool turned = plan->tensor > 1 && !plan->sequence_parallel;
    plan->sequence_parallel = true;
    return turned;
}

static bool turn_overlap_data(StratPlan *plan)
{
    bool turned = plan->data * plan->context > 1 && !plan->overlap_data;
    plan->overlap_data = true;
    return turned;
}

static bool turn_overlap_tensor(StratPlan *plan)
{
    bool turned = plan->tensor > 1 && !plan->overlap_tensor;
    plan->overlap_tensor = true;
    return turned;
}

static bool turn_overlap_backward(StratPlan *plan)
{
    bool turned = plan->tensor > 1 && !plan->overlap_tensor && !plan->overlap_tensor_backward;
    plan->overlap_tensor_backward = true;
    return turned;
}

static bool turn_overlap_pipeline(StratPlan *plan)
{
    bool turned = plan->pipeline > 1 && !plan->overlap_pipeline;
    plan->overlap_pipeline = true;
    return turned;
}

static bool turn_shard_optimizer(StratPlan *plan)
{
    bool turned = plan->data * plan->context > 1 && plan->zero_stage == 0;
    plan->zero_stage = 1;
    return turned;
}

static bool turn_replicate_optimizer(StratPlan *plan)
{
    bool turned = plan->data * plan->context > 1 && plan->zero_stage == 1;
    plan->zero_stage = 0;
    return turned;
}

static bool turn_micro_batch_up(StratPlan *plan)
{
    plan->micro_batch *= 2;
    return true;
}

static bool turn_micro_batch_down(StratPlan *plan)
{
    bool turned = plan->micro_batch % 2 == 0;
    plan->micro_batch /= 2;
    return turned;
}

/* Chunks and schedule go together. */
static bool set_chunks(StratPlan *plan, int64_t chunks)
{
    if (plan->pipeline == 1 || chunks < 1)
        return false;
    plan->virtual_stages = chunks;
    plan->schedule = chunks > 1 ? "interleaved-1f1b" : "1f1b";
    return true;
}

static bool turn_chunks_up(StratPlan *plan)
{
    return set_chunks(plan, plan->virtual_stages * 2);
}

static bool turn_chunks_down(StratPlan *plan)
{
    return plan->virtual_stages > 1 && set_chunks(plan, plan->virtual_stages / 2);
}

static bool turn_tensor_down(StratPlan *plan)
{
    bool turned = plan->tensor % 2 == 0;
    plan->tensor /= 2;
    plan->data *= 2;
    plan->sequence_parallel = plan->sequence_parallel && plan->tensor > 1;
    return turned;
}

static bool turn_tensor_up(StratPlan *plan)
{
    bool turned = plan->data % 2 == 0;
    plan->tensor *= 2;
    plan->data /= 2;
    return turned;
}

/* A pipeline of one stage has no schedule and no chunks. */
static bool turn_pipeline_down(StratPlan *plan)
{
    bool turned = plan->pipeline % 2 == 0;
    plan->pipeline /= 2;
    plan->data *= 2;
    if (plan->pipeline == 1) {
        plan->virtual_stages = 1;
        plan->schedule = "none";
    }
    return turned;
}

static bool turn_pipeline_up(StratPlan *plan)
{
    bool turned = plan->data % 2 == 0;
    plan->pipeline *= 2;
    plan->data /= 2;
    if (g_str_equal(plan->schedule, "none"))
        plan->schedule = "1f1b";
    return turned;
}

static const Knob knobs[] = {
    {"recompute only attention",      turn_selective          },
    {"recompute nothing",             turn_no_recompute       },
    {"fused attention",               turn_flash              },
    {"sequence parallelism",          turn_sequence_parallel  },
    {"hide data-parallel traffic",    turn_overlap_data       },
    {"hide tensor-parallel traffic",  turn_overlap_tensor     },
    {"hide it in the backward alone", turn_overlap_backward   },
    {"hide pipeline traffic",         turn_overlap_pipeline   },
    {"shard the optimizer",           turn_shard_optimizer    },
    {"replicate the optimizer",       turn_replicate_optimizer},
    {"larger microbatches",           turn_micro_batch_up     },
    {"smaller microbatches",          turn_micro_batch_down   },
    {"more chunks a stage",           turn_chunks_up          },
    {"fewer chunks a stage",          turn_chunks_down        },
    {"less tensor parallelism",       turn_tensor_down        },
    {"more tensor parallelism",       turn_tensor_up          },
    {"shorter pipeline",              turn_pipeline_down      },
    {"longer pipeline",               turn_pipeline_up        },
};

/* A turned plan that is sound. */
typedef struct Variant {
    const Knob *knob;
    ScenScenario scenario; /* borrows the strings of the one it varies */
    double step_s;
    bool exact; /* as if simulated in full */
} Variant;

static bool variant_init(Variant *variant, const ScenScenario *scenario, const Knob *knob)
{
    *variant = (Variant){.knob = knob, .scenario = *scenario};
    variant->scenario.fold = true; /* gives the same step, sooner */
    return knob->turn(&variant->scenario.plan) && scen_scenario_check(&variant->scenario, NULL);
}

/* How full the fullest stage of @scenario is. */
static double memory_fraction(const ScenScenario *scenario)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, NULL))
        return INFINITY;
    g_autoptr(GArray) memory = strat_memory_stages(&costing);
    const StratMemory *worst = &g_array_index(memory, StratMemory, scen_worst_stage(memory));
    return worst->peak_bytes / worst->capacity_bytes;
}

/* Step time of @scenario with @microbatches instead of its own; negative when it has none. */
static double short_step_s(const ScenScenario *scenario, int64_t microbatches)
{
    ScenScenario shorter = *scenario;
    StratPlan *plan = &shorter.plan;
    plan->global_batch = microbatches * plan->data * plan->micro_batch;
    g_autoptr(StratTrainResult) result = scen_simulate(&shorter, NULL);
    return result ? (double)result->step_ns * 1e-9 : -1.0;
}

/* The step drawn out from short ones, and whether it is exact to the nanosecond. */
static double drawn_out_s(const ScenScenario *scenario, bool *exact)
{
    const StratPlan *plan = &scenario->plan;
    int64_t all = plan->global_batch / (plan->data * plan->micro_batch);
    int64_t group = plan->virtual_stages > 1 ? plan->pipeline : GROUP;
    if (all <= POINTS * group) {
        *exact = true;
        return short_step_s(scenario, all);
    }
    double step_s[POINTS];
    int64_t least = all % group;
    for (int i = 0; i < POINTS; i++)
        step_s[i] = short_step_s(scenario, least + (i + 1) * group);
    double slope = step_s[2] - step_s[1];
    *exact = fabs(slope - (step_s[1] - step_s[0])) < 0.5e-9;
    return step_s[2] + slope * (double)((all - least) / group - POINTS);
}

static gint compare_variants(gconstpointer a, gconstpointer b)
{
    const Variant *x = a, *y = b;
    if (x->step_s < y->step_s || x->step_s > y->step_s)
        return x->step_s < y->step_s ? -1 : 1;
    return (x->knob > y->knob) - (x->knob < y->knob);
}

static gint compare_step(gconstpointer a, gconstpointer b)
{
    const ScenKnobGain *x = a, *y = b;
    if (x->step_s < y->step_s || x->step_s > y->step_s)
        return x->step_s < y->step_s ? -1 : 1;
    return g_strcmp0(x->setting, y->setting);
}

static void gain_clear(ScenKnobGain *gain)
{
    g_free(gain->setting);
}

static double full_step_s(const ScenScenario *scenario)
{
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, NULL);
    return result ? (double)result->step_ns * 1e-9 : INFINITY;
}

/* The sound variants, shortest step first. */
static GArray *variants_new(const ScenScenario *scenario, const StratTrainResult *result)
{
    bool exact = false, is_short = result->operations <= SHORT_OPERATIONS;
    double own_s = (double)result->step_ns * 1e-9;
    bool trusted = !is_short && fabs(drawn_out_s(scenario, &exact) - own_s) < 0.5e-9 && exact;
    GArray *variants = g_array_new(FALSE, FALSE, sizeof(Variant));
    for (size_t i = 0; i < G_N_ELEMENTS(knobs); i++) {
        Variant v;
        if (!variant_init(&v, scenario, &knobs[i]))
            continue;
        v.step_s = is_short ? full_step_s(&v.scenario) : drawn_out_s(&v.scenario, &v.exact);
        v.exact = is_short || (trusted && v.exact);
        g_array_append_val(variants, v);
    }
    g_array_sort(variants, compare_variants);
    return variants;
}

/* Adds @variant to @gains if it helps and fits. */
static void consider(GArray *gains, const Variant *variant, const ScenScenario *scenario,
                     double own_s)
{
    double most_s = own_s * (1.0 - LEAST_GAIN);
    if (variant->step_s > most_s)
        return;
    double memory = memory_fraction(&variant->scenario);
    double step_s =
        memory > 1.0 || variant->exact ? variant->step_s : full_step_s(&variant->scenario);
    if (memory > 1.0 || step_s > most_s)
        return;
    ScenKnobGain gain = {
        .text = variant->knob->text,
        .setting = scen_plan_diff(&scenario->plan, &variant->scenario.plan),
        .step_s = step_s,
        .gain_fraction = 1.0 - step_s / own_s,
        .memory_fraction = memory,
    };
    g_array_append_val(gains, gain);
}

GArray *scen_knobs(const ScenScenario *scenario, const StratTrainResult *result, guint most)
{
    GArray *gains = g_array_new(FALSE, FALSE, sizeof(ScenKnobGain));
    g_array_set_clear_func(gains, (GDestroyNotify)gain_clear);
    g_autoptr(GArray) variants = variants_new(scenario, result);
    for (guint i = 0; i < variants->len && gains->len < most; i++)
        consider(gains, &g_array_index(variants, Variant, i), scenario,
                 (double)result->step_ns * 1e-9);
    g_array_sort(gains, compare_step);
    return gains;
}
