/* The error of a step time, from the errors of its parts.
 *
 * A step is a sum over kinds of costs, T = sum_k T_k. A kind's error is systematic: another library
 * version, clock or layout makes all products of a step slower at once, so it does not average out
 * over the thousands of operations of a kind, while kinds have nothing to do with one another:
 *
 *   e_k    = sum_v (T_kv / T) e_kind(k) widen(v)        within a kind, by evidence v: they add
 *   s^2    = sum_k e_k^2 + software^2 + guesses * guess^2
 *   90 %   : T exp(-1.645 s) to T exp(1.645 s)
 *
 * The interval is that of a log-normal, because costs are wrong by factors. The scatter of single
 * kernels about a fit (kernels/profiles) is another thing, and smaller in a sum.
 *
 * T_k is read off the ledger. Accounts that mix kinds (recomputation, unfused attention, embedding
 * and head) are split as the spans of one layer, an embedding and a head split them. The pipeline
 * bubble repeats the stages that it waits for, so it is shared out over what a stage does; what a
 * schedule adds to that (uneven stages, jitter) is a kind of its own, in proportion to the bubble.
 * Software is what no kind covers: the plan says a figure for its generation.
 *
 * Left out: that some errors hide (a collective under a product can grow for nothing), and that the
 * error of a fitted host stall or clock is shared with the kinds that it was fitted beside. */
#include "strat_interval.h"

#include "strat_grade.h"
#include "strat_layout.h"

#include <math.h>

/* 0.95 quantile of the standard normal distribution. */
#define QUANTILE_95 1.6448536269514722

typedef double Parts[STRAT_KIND_COUNT][KERN_EVIDENCE_COUNT];

/* One layer, the embedding and the head, forward and backward, as rank 0 would run them. */
static GArray *sample_spans(const StratCosting *costing)
{
    const StratPlan *plan = costing->plan;
    StratCosting graded = *costing;
    graded.graded = true;
    graded.device.tally = NULL; /* counts what the step asked, not this sample */
    StratGroup tensor = strat_tensor_group(plan, 0), context = strat_context_group(plan, 0);
    StratGroup expert = strat_expert_group(plan, 0);
    StratModelChunk chunk = {
        .layers = 1,
        .moe_layers = costing->model->experts > 0 ? 1 : 0,
        .expert_per_domain =
            strat_group_per_domain(costing->cluster, costing->gpu_of_rank, &expert),
        .teacher_layers = costing->plan->distill.teacher.layers > 0 ? 1 : 0,
        .embedding = true,
        .head = true,
        .tensor_per_domain =
            strat_group_per_domain(costing->cluster, costing->gpu_of_rank, &tensor),
        .context_per_domain =
            strat_group_per_domain(costing->cluster, costing->gpu_of_rank, &context),
    };
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(&graded, &chunk, spans);
    strat_cost_backward(&graded, &chunk, STRAT_BACKWARD_WHOLE, spans);
    return spans;
}

/* Traffic between replicas and stages leaves the scale-up domain when the plan does not fit in. */
static void add_wire(const StratCosting *costing, Parts parts, double seconds)
{
    const TopoNode *node = &costing->cluster->node;
    bool inside = strat_rank_count(costing->plan) <= node->scale_up_gpus;
    const TopoProtocolFits *wire = inside ? &node->scale_up_protocols : &node->scale_out_protocols;
    parts[inside ? STRAT_KIND_SCALE_UP : STRAT_KIND_SCALE_OUT][strat_wire_evidence(wire)] +=
        seconds;
}

/* Adds @seconds of account @bucket, split as @sample splits it. */
static void add_split(Parts parts, const GArray *sample, StratBucket bucket, double seconds)
{
    double whole = 0.0;
    for (guint i = 0; i < sample->len; i++) {
        const StratSpan *span = &g_array_index(sample, StratSpan, i);
        whole += span->bucket == bucket ? span->seconds : 0.0;
    }
    for (guint i = 0; i < sample->len; i++) {
        const StratSpan *span = &g_array_index(sample, StratSpan, i);
        if (span->bucket == bucket)
            parts[span->kind][span->evidence] += seconds * span->seconds / whole;
    }
}

static void add_bucket(const StratCosting *costing, Parts parts, const GArray *sample,
                       StratBucket bucket, double seconds)
{
    bool measured = costing->plan->profiled.forward_s > 0.0;
    switch (bucket) {
    case STRAT_BUCKET_PIPELINE_COMM:
    case STRAT_BUCKET_DATA_COMM:
        add_wire(costing, parts, seconds);
        break;
    case STRAT_BUCKET_HOST:
    case STRAT_BUCKET_OFFLOAD:
        parts[STRAT_KIND_HOST][KERN_EVIDENCE_FITTED] += seconds;
        break;
    case STRAT_BUCKET_OPTIMIZER:
        parts[STRAT_KIND_PASSES][strat_passes_evidence(costing)] += seconds;
        break;
    default:
        if (measured)
            parts[STRAT_KIND_PRODUCTS][KERN_EVIDENCE_MEASURED] += seconds;
        else
            add_split(parts, sample, bucket, seconds);
    }
}

/* Accounts that are no part of a stage's work on a microbatch. */
static bool is_beside_stages(StratBucket bucket)
{
    return bucket == STRAT_BUCKET_DATA_COMM || bucket == STRAT_BUCKET_OPTIMIZER;
}

StratExposure strat_exposure(const StratCosting *costing, const StratTrainResult *result)
{
    StratExposure exposure = {.total = (double)result->step_ns * (double)result->gpus * 1e-9};
    g_autoptr(GArray) sample = sample_spans(costing);
    double bubble = (double)result->ledger_ns[STRAT_BUCKET_BUBBLE] * 1e-9, stages = 0.0;
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++) {
        if (b != STRAT_BUCKET_BUBBLE && !is_beside_stages((StratBucket)b))
            stages += (double)result->ledger_ns[b] * 1e-9;
    }
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++) {
        double seconds = (double)result->ledger_ns[b] * 1e-9;
        if (b == STRAT_BUCKET_BUBBLE || seconds <= 0.0)
            continue;
        if (!is_beside_stages((StratBucket)b))
            seconds *= 1.0 + bubble / stages;
        add_bucket(costing, exposure.parts, sample, (StratBucket)b, seconds);
    }
    exposure.parts[STRAT_KIND_SCHEDULE][KERN_EVIDENCE_FITTED] = bubble;
    return exposure;
}

/* Only kernels and wires have evidence; the rest are figures of plans. */
static bool has_evidence(int kind)
{
    return kind <= STRAT_KIND_SCALE_OUT;
}

/* The weakest evidence of parts that matter, and the largest kind of them. */
static void find_weakest(const StratExposure *exposure, StratInterval *interval)
{
    for (int v = 0; v < KERN_EVIDENCE_COUNT; v++) {
        double seconds = 0.0;
        int largest = 0;
        for (int k = 0; k < STRAT_KIND_COUNT; k++) {
            seconds += has_evidence(k) ? exposure->parts[k][v] : 0.0;
            if (has_evidence(k) && exposure->parts[k][v] > exposure->parts[largest][v])
                largest = k;
        }
        if (seconds > 0.0 && seconds >= STRAT_EVIDENCE_LEAST_SHARE * exposure->total) {
            interval->evidence = (KernEvidence)v;
            interval->evidence_of = (StratKind)largest;
        }
    }
}

/* No table of several nodes is open, so every wire between domains is a borrowed one and the error
 * of the kind is already that of such wires. */
static double widen(const StratErrors *errors, int kind, int evidence)
{
    return kind == STRAT_KIND_SCALE_OUT ? 1.0 : errors->widen[evidence];
}

/* Relative error that kind @k brings into the step. */
static double kind_error(const StratExposure *exposure, const StratErrors *errors, int k)
{
    double error = 0.0;
    for (int v = 0; v < KERN_EVIDENCE_COUNT; v++)
        error += exposure->parts[k][v] / exposure->total * errors->kind[k] * widen(errors, k, v);
    return error;
}

StratInterval strat_interval(double step_s, const StratExposure *exposure,
                             const StratErrors *errors, double software, int64_t guesses)
{
    double variance[STRAT_KIND_COUNT] = {0}, sum = 0.0;
    for (int k = 0; k < STRAT_KIND_SOFTWARE && exposure->total > 0.0; k++)
        variance[k] = pow(kind_error(exposure, errors, k), 2.0);
    double gray = software > 0.0 ? software : errors->kind[STRAT_KIND_SOFTWARE];
    variance[STRAT_KIND_SOFTWARE] = gray * gray;
    variance[STRAT_KIND_GUESSES] = (double)guesses * pow(errors->kind[STRAT_KIND_GUESSES], 2.0);
    for (int k = 0; k < STRAT_KIND_COUNT; k++)
        sum += variance[k];
    double reach = QUANTILE_95 * sqrt(sum);
    StratInterval interval = {
        .low_s = step_s * exp(-reach),
        .high_s = step_s * exp(reach),
        .standard_error_fraction = sqrt(sum),
        .half_width_fraction = sinh(reach),
    };
    find_weakest(exposure, &interval);
    for (int k = 0; k < STRAT_KIND_COUNT && sum > 0.0; k++)
        interval.share[k] = variance[k] / sum;
    return interval;
}

double strat_interval_ratio_error(const StratExposure *one, const StratExposure *other,
                                  const StratErrors *errors)
{
    double sum = 0.0;
    for (int k = 0; k < STRAT_KIND_SOFTWARE && one->total > 0.0 && other->total > 0.0; k++)
        sum += pow(kind_error(one, errors, k) - kind_error(other, errors, k), 2.0);
    return sqrt(sum);
}

size_t strat_interval_rank(const StratInterval *interval, StratKind *kinds)
{
    size_t count = 0;
    for (int k = 0; k < STRAT_KIND_COUNT; k++) {
        if (interval->share[k] <= 0.0)
            continue;
        size_t at = count++;
        for (; at > 0 && interval->share[kinds[at - 1]] < interval->share[k]; at--)
            kinds[at] = kinds[at - 1];
        kinds[at] = (StratKind)k;
    }
    return count;
}
