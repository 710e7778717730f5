/* Knobs: one change of the plan at a time.
 *
 * A row of the table turns one knob of a plan, or says that there is nothing to turn. A turned plan
 * counts only when it passes the checks of a scenario and fits in memory. Nothing here changes
 * what is learnt: batch, sequence, precision and model stay.
 *
 * Simulating every variant of a long step costs more than the answer is worth, so the variants
 * are ranked first, by a short step of few microbatches drawn out to the whole:
 *
 *   T(M) ~ T(m) + (M - m) * busy(m) / m        busy: a GPU's mean time in forwards and backwards
 *
 * and only the first few are simulated in full; only what was simulated in full is reported. */
#include "scen_knobs.h"

#include "scen_check.h"
#include "scen_plan_diff.h"
#include "scen_simulate.h"

#include <math.h>

/* Below this many operations a variant is simulated in full at once. */
enum { SHORT_OPERATIONS = 20000 };

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

/* A turned plan that is sound and fits. */
typedef struct Variant {
    const Knob *knob;
    ScenScenario scenario; /* borrows the strings of the one it varies */
    double memory_fraction;
    double guess_s;
} Variant;

static bool variant_init(Variant *variant, const ScenScenario *scenario, const Knob *knob)
{
    StratCosting costing;
    *variant = (Variant){.knob = knob, .scenario = *scenario};
    if (!knob->turn(&variant->scenario.plan) || !scen_scenario_check(&variant->scenario, NULL) ||
        !scen_costing(&variant->scenario, &costing, NULL))
        return false;
    g_autoptr(GArray) memory = strat_memory_stages(&costing);
    const StratMemory *worst = &g_array_index(memory, StratMemory, scen_worst_stage(memory));
    variant->memory_fraction = worst->peak_bytes / worst->capacity_bytes;
    return scen_fits(memory);
}

static double mean_busy_s(const StratTrainResult *result)
{
    double busy = 0.0;
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++) {
        if (b != STRAT_BUCKET_BUBBLE && b != STRAT_BUCKET_OPTIMIZER && b != STRAT_BUCKET_DATA_COMM)
            busy += (double)result->ledger_ns[b] * 1e-9;
    }
    return busy / (double)result->gpus;
}

/* Step time of @scenario, from as few microbatches as its schedule takes. */
static double guess_s(const ScenScenario *scenario)
{
    ScenScenario shorter = *scenario;
    StratPlan *plan = &shorter.plan;
    int64_t once = plan->data * plan->micro_batch, all = plan->global_batch / once;
    int64_t few = plan->virtual_stages > 1 ? plan->pipeline : MIN(all, 8);
    plan->global_batch = few * once;
    g_autoptr(StratTrainResult) result = scen_simulate(&shorter, NULL);
    if (!result)
        return INFINITY;
    double each = mean_busy_s(result) / (double)few;
    return (double)result->step_ns * 1e-9 + (double)(all - few) * each;
}

static gint compare_guess(gconstpointer a, gconstpointer b)
{
    const Variant *x = a, *y = b;
    if (x->guess_s < y->guess_s || x->guess_s > y->guess_s)
        return x->guess_s < y->guess_s ? -1 : 1;
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

static void add_gain(GArray *gains, const Variant *variant, const ScenScenario *scenario,
                     double base_s)
{
    g_autoptr(StratTrainResult) result = scen_simulate(&variant->scenario, NULL);
    double step_s = result ? (double)result->step_ns * 1e-9 : base_s;
    /* Less than a thousandth is no help. */
    if (step_s > base_s * 0.999)
        return;
    ScenKnobGain gain = {
        .text = variant->knob->text,
        .setting = scen_plan_diff(&scenario->plan, &variant->scenario.plan),
        .step_s = step_s,
        .gain_fraction = 1.0 - step_s / base_s,
        .memory_fraction = variant->memory_fraction,
    };
    g_array_append_val(gains, gain);
}

/* The variants, best guess first; unordered when each can be simulated in full. */
static GArray *variants_new(const ScenScenario *scenario, bool ranked)
{
    GArray *variants = g_array_new(FALSE, FALSE, sizeof(Variant));
    for (size_t i = 0; i < G_N_ELEMENTS(knobs); i++) {
        Variant variant;
        if (!variant_init(&variant, scenario, &knobs[i]))
            continue;
        if (ranked)
            variant.guess_s = guess_s(&variant.scenario);
        g_array_append_val(variants, variant);
    }
    if (ranked)
        g_array_sort(variants, compare_guess);
    return variants;
}

GArray *scen_knobs(const ScenScenario *scenario, const StratTrainResult *result, guint most)
{
    GArray *gains = g_array_new(FALSE, FALSE, sizeof(ScenKnobGain));
    g_array_set_clear_func(gains, (GDestroyNotify)gain_clear);
    if (scenario->plan.profiled.forward_s > 0.0)
        return gains;
    bool ranked = result->operations > SHORT_OPERATIONS;
    g_autoptr(GArray) variants = variants_new(scenario, ranked);
    guint count = ranked ? MIN(variants->len, most) : variants->len;
    for (guint i = 0; i < count; i++)
        add_gain(gains, &g_array_index(variants, Variant, i), scenario,
                 (double)result->step_ns * 1e-9);
    g_array_sort(gains, compare_step);
    if (gains->len > most)
        g_array_set_size(gains, most);
    return gains;
}
