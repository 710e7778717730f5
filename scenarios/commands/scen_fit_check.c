/* `orrery fit --check`: how far the shipped coefficients are from measurements.
 *
 * Products and attention are judged by type, over all rows and by decade of the measured time; rows
 * far from the shapes that the coefficients were fitted on are counted beside the error. The
 * kernels of serving are judged by class (head width and cache; type and family of kernels) and
 * each operation over all of them, likewise by decade; their held-out rows are drawn at random. A
 * collective's error depends on its size: launch and protocol decide below a megabyte, wires above
 * a hundred. So errors are given by decade, and over 64 kB to 1 GB together. They are |predicted /
 * measured - 1|; bias is the median with its sign. Where the table is the one that was fitted, that
 * flatters; held-out errors are of coefficients that never saw the sizes that they are judged on.
 */
#include "scen_fit_check.h"

#include "kern_evidence.h"
#include "scen_errors.h"
#include "scen_fit_yaml.h"
#include "scen_json.h"

#include <math.h>
#include <stdio.h>

/* Sizes that are judged together, binary at the ends and decimal between. */
static const struct {
    const char *text;
    double from_bytes, to_bytes; /* from inclusive, to exclusive; kernels: seconds measured */
} spans[] = {
    {"64 kB to 1 MB",  65536.0, 1e6         },
    {"1 to 10 MB",     1e6,     1e7         },
    {"10 to 100 MB",   1e7,     1e8         },
    {"100 MB to 1 GB", 1e8,     1073741825.0},
    {"64 kB to 1 GB",  65536.0, 1073741825.0},
    {"all",            0.0,     INFINITY    },
    {"below 10 us",    0.0,     1e-5        },
    {"10 to 100 us",   1e-5,    1e-4        },
    {"0.1 to 1 ms",    1e-4,    1e-3        },
    {"1 to 10 ms",     1e-3,    1e-2        },
    {"above 10 ms",    1e-2,    INFINITY    },
};
enum { ALL_LARGE = 4, ALL_SIZES = 5, TIMES_FIRST = 6, TIMES_LAST = 10 };

/* A measured row and how far it is from its predictions. */
typedef struct Judged {
    double bytes, log_ratio, held_out_log_ratio;
} Judged;

typedef struct Verdict {
    char *node, *fit, *operation;
    size_t span;
    KernFitError shipped, held_out;
    size_t extrapolated; /* rows far from all that the coefficients were fitted on */
} Verdict;

struct ScenFitCheck {
    size_t folds;
    bool brief;
    GArray *verdicts; /* of Verdict */
};

static void verdict_clear(Verdict *verdict)
{
    g_free(verdict->node);
    g_free(verdict->fit);
    g_free(verdict->operation);
}

ScenFitCheck *scen_fit_check_new(int64_t folds, bool brief)
{
    ScenFitCheck *check = g_new0(ScenFitCheck, 1);
    check->folds = folds > 1 ? (size_t)folds : 0;
    check->brief = brief;
    check->verdicts = g_array_new(FALSE, FALSE, sizeof(Verdict));
    g_array_set_clear_func(check->verdicts, (GDestroyNotify)verdict_clear);
    return check;
}

void scen_fit_check_free(ScenFitCheck *check)
{
    if (!check)
        return;
    g_array_unref(check->verdicts);
    g_free(check);
}

static bool is_in_span(double size, size_t span)
{
    return size >= spans[span].from_bytes && size < spans[span].to_bytes;
}

static KernFitError error_in(const Judged *rows, size_t count, size_t span, bool held_out)
{
    g_autofree double *log_ratios = g_new(double, count);
    size_t in = 0;
    for (size_t i = 0; i < count; i++)
        if (is_in_span(rows[i].bytes, span))
            log_ratios[in++] = held_out ? rows[i].held_out_log_ratio : rows[i].log_ratio;
    return kern_fit_error(log_ratios, in);
}

/* @names: node, coefficients, operation. */
static void add(ScenFitCheck *check, const char *const names[3], const Verdict *verdict)
{
    Verdict copy = *verdict;
    if (verdict->shipped.rows == 0)
        return;
    copy.node = g_strdup(names[0]);
    copy.fit = g_strdup(names[1]);
    copy.operation = g_strdup(names[2]);
    g_array_append_val(check->verdicts, copy);
}

/* @held_out: rows have such a ratio too. */
static void add_spans(ScenFitCheck *check, const char *const names[3], const Judged *rows,
                      size_t count, bool held_out)
{
    for (size_t span = check->brief ? ALL_LARGE : 0; span <= ALL_LARGE; span++) {
        Verdict verdict = {.span = span, .shipped = error_in(rows, count, span, false)};
        if (held_out)
            verdict.held_out = error_in(rows, count, span, true);
        add(check, names, &verdict);
    }
}

static void judge_collective(ScenFitCheck *check, const TopoNode *node, TopoCollectiveOp op,
                             const GArray *array)
{
    const KernProtocolRow *rows = (const KernProtocolRow *)array->data;
    const TopoProtocolFits *fits = &node->scale_up_protocols;
    double rate = node->scale_up_bytes_per_s;
    g_autofree Judged *judged = g_new0(Judged, array->len);
    g_autofree double *held_out = g_new0(double, array->len);
    if (check->folds > 0)
        kern_fit_protocol_held_out(rate, rows, array->len, check->folds, held_out);
    for (guint i = 0; i < array->len; i++)
        judged[i] = (Judged){
            rows[i].call.bytes,
            kern_fit_protocol_log_ratio(rate, &fits->op[topo_protocol_op(op)], &rows[i]),
            held_out[i],
        };
    const char *const names[3] = {node->name, fits->name, topo_collective_op_name(op)};
    add_spans(check, names, judged, array->len, check->folds > 0);
}

static void judge_engine(ScenFitCheck *check, const TopoNode *node, const TopoEngineFit *engine,
                         const GArray *array, bool captured)
{
    const TopoProtocolWires wires = {.inside = &node->scale_up_protocols,
                                     .inside_bytes_per_s = node->scale_up_bytes_per_s};
    g_autofree Judged *judged = g_new0(Judged, array->len);
    size_t count = 0;
    for (guint i = 0; i < array->len; i++) {
        const KernEngineRow *row = &g_array_index(array, KernEngineRow, i);
        if (row->captured == captured)
            judged[count++] =
                (Judged){row->call.bytes, kern_fit_engine_log_ratio(&wires, engine, row), 0.0};
    }
    const char *const names[3] = {node->name, engine->name,
                                  captured ? "all_reduce, graph" : "all_reduce, eager"};
    add_spans(check, names, judged, count, false);
}

/* A class of the kernels of serving, or all of one operation. */
typedef struct ServeContext {
    ScenFitCheck *check;
    const char *node, *profile;
} ServeContext;

static void take_serve(void *ctx, const char *operation, const ScenServeJudged *rows, size_t count)
{
    const ServeContext *context = ctx;
    ScenFitCheck *check = context->check;
    const char *const names[3] = {context->node, context->profile, operation};
    g_autofree Judged *judged = g_new(Judged, count);
    for (size_t i = 0; i < count; i++)
        judged[i] = (Judged){rows[i].seconds, rows[i].log_ratio, rows[i].held_out_log_ratio};
    for (size_t span = ALL_SIZES; span <= (check->brief ? ALL_SIZES : TIMES_LAST); span++) {
        Verdict verdict = {.span = span, .shipped = error_in(judged, count, span, false)};
        if (check->folds > 0)
            verdict.held_out = error_in(judged, count, span, true);
        add(check, names, &verdict);
    }
}

/* Adds the errors of the products @rows by @names, all together and by decade. */
static void judge_gemm(ScenFitCheck *check, const char *const names[3], const KernDevice *device,
                       const GArray *rows, const KernGemmFit *fit)
{
    g_autoptr(GArray) in = g_array_new(FALSE, FALSE, sizeof(KernGemmRow));
    g_autofree double *held_out = g_new0(double, rows->len);
    g_autofree double *in_held_out = g_new0(double, rows->len);
    if (check->folds > 0)
        kern_fit_gemm_held_out(device->gpu, (const KernGemmRow *)(void *)rows->data, rows->len,
                               check->folds, fit, held_out);
    for (size_t span = ALL_SIZES; span <= (check->brief ? ALL_SIZES : TIMES_LAST); span++) {
        Verdict verdict = {.span = span};
        g_array_set_size(in, 0);
        for (guint i = 0; i < rows->len; i++) {
            const KernGemmRow *row = &g_array_index(rows, KernGemmRow, i);
            if (!is_in_span(row->seconds, span))
                continue;
            in_held_out[in->len] = held_out[i];
            g_array_append_val(in, *row);
            verdict.extrapolated +=
                kern_gemm_evidence(device, &row->shape) == KERN_EVIDENCE_EXTRAPOLATED;
        }
        verdict.shipped =
            kern_fit_gemm_error(device->gpu, (const KernGemmRow *)(void *)in->data, in->len, fit);
        if (check->folds > 0)
            verdict.held_out = kern_fit_error(in_held_out, in->len);
        add(check, names, &verdict);
    }
}

/* The same of calls of attention. */
static void judge_attention(ScenFitCheck *check, const char *const names[3],
                            const KernDevice *device, const GArray *rows)
{
    g_autoptr(GArray) in = g_array_new(FALSE, FALSE, sizeof(KernAttentionRow));
    for (size_t span = ALL_SIZES; span <= (check->brief ? ALL_SIZES : TIMES_LAST); span++) {
        Verdict verdict = {.span = span};
        g_array_set_size(in, 0);
        for (guint i = 0; i < rows->len; i++) {
            const KernAttentionRow *row = &g_array_index(rows, KernAttentionRow, i);
            if (!is_in_span(row->seconds, span))
                continue;
            g_array_append_val(in, *row);
            verdict.extrapolated +=
                kern_attention_evidence(device, &row->shape) == KERN_EVIDENCE_EXTRAPOLATED;
        }
        verdict.shipped =
            kern_fit_attention_error(device->gpu, (const KernAttentionRow *)(void *)in->data,
                                     in->len, &device->profile->attention);
        add(check, names, &verdict);
    }
}

static void judge_profile(ScenFitCheck *check, const TopoNode *node, const KernProfile *profile,
                          const ScenFitTable *table)
{
    const KernDevice device = {.gpu = &node->gpu, .profile = profile, .clock_fraction = 1.0};
    for (int t = TOPO_DTYPE_FP16; t < KERN_GEMM_TYPES; t++) {
        const GArray *rows = table->gemm[t];
        const KernGemmFit *fit = &profile->gemm[t];
        g_autofree char *name = g_strdup_printf("gemm, %s", kern_gemm_type_name((KernGemmType)t));
        const char *const names[3] = {node->name, profile->name, name};
        if (rows->len > 0 && fit->rows > 0)
            judge_gemm(check, names, &device, rows, fit);
    }
    const char *const names[3] = {node->name, profile->name, "attention"};
    if (table->attention->len > 0 && profile->attention.rows > 0)
        judge_attention(check, names, &device, table->attention);
    ServeContext context = {check, node->name, profile->name};
    scen_fit_serve_judge(table->serve, &node->gpu, profile, check->folds, take_serve, &context);
}

void scen_fit_check_add(ScenFitCheck *check, const TopoNode *node, const KernProfile *profile,
                        const TopoEngineFit *engine, const ScenFitTable *table)
{
    static const TopoCollectiveOp ops[] = {TOPO_OP_ALL_REDUCE, TOPO_OP_ALL_GATHER,
                                           TOPO_OP_REDUCE_SCATTER, TOPO_OP_ALL_TO_ALL};
    if (profile)
        judge_profile(check, node, profile, table);
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++)
        judge_collective(check, node, ops[i], table->collective[topo_protocol_op(ops[i])]);
    if (!engine)
        return;
    judge_engine(check, node, engine, table->engine, true);
    judge_engine(check, node, engine, table->engine, false);
}

bool scen_fit_check_any(const ScenFitCheck *check, GError **error)
{
    if (check->verdicts->len == 0)
        g_set_error(
            error, SCEN_ERROR, SCEN_ERROR_WRONG,
            "no line of these tables is a product, an attention, an expert layer or a collective "
            "from 64 kB to "
            "1 GB that has shipped coefficients (an engine's own all-reduces need its name)");
    return check->verdicts->len > 0;
}

/* The judgement of all sizes that is furthest off. */
static const Verdict *worst_of(const ScenFitCheck *check)
{
    const Verdict *worst = NULL;
    for (guint i = 0; i < check->verdicts->len; i++) {
        const Verdict *v = &g_array_index(check->verdicts, Verdict, i);
        if (v->span == ALL_LARGE &&
            (!worst || v->shipped.median_fraction > worst->shipped.median_fraction))
            worst = v;
    }
    return worst;
}

/* Held-out errors take the place of the bias, so that a line fits a screen. */
static void print_text(const ScenFitCheck *check)
{
    printf("%-14s %-13s %-24s %-14s %5s %7s %7s  %s\n", "node", "coefficients", "operation",
           "sizes", "rows", "median", "p90",
           check->folds > 0 ? "held out: median, p90" : "   bias");
    const Verdict *before = NULL, *worst = worst_of(check);
    for (guint i = 0; i < check->verdicts->len; i++) {
        const Verdict *v = &g_array_index(check->verdicts, Verdict, i);
        bool same = before && g_str_equal(before->node, v->node) &&
                    g_str_equal(before->fit, v->fit) &&
                    g_str_equal(before->operation, v->operation);
        printf("%-14s %-13s %-24s %-14s %5zu %5.1f %% %5.1f %%", same ? "" : v->node,
               same ? "" : v->fit, same ? "" : v->operation, spans[v->span].text, v->shipped.rows,
               100.0 * v->shipped.median_fraction, 100.0 * v->shipped.p90_fraction);
        if (v->held_out.rows > 0)
            printf("         %5.1f %% %5.1f %%", 100.0 * v->held_out.median_fraction,
                   100.0 * v->held_out.p90_fraction);
        else if (check->folds == 0)
            printf("  %+5.1f %%", 100.0 * v->shipped.bias_fraction);
        if (v->extrapolated > 0)
            printf("  %zu rows extrapolated", v->extrapolated);
        putchar('\n');
        before = v;
    }
    if (worst)
        printf("Largest median error over 64 kB to 1 GB: %.1f %% (%s, %s)\n",
               100.0 * worst->shipped.median_fraction, worst->node, worst->operation);
}

static void add_error(JsonBuilder *json, const char *prefix, const KernFitError *error)
{
    g_autofree char *median = g_strdup_printf("%smedian_error_fraction", prefix);
    g_autofree char *p90 = g_strdup_printf("%sp90_error_fraction", prefix);
    g_autofree char *bias = g_strdup_printf("%sbias_fraction", prefix);
    scen_json_number(json, median, error->median_fraction);
    scen_json_number(json, p90, error->p90_fraction);
    scen_json_number(json, bias, error->bias_fraction);
}

static void print_json(const ScenFitCheck *check)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    json_builder_set_member_name(json, "rows");
    json_builder_begin_array(json);
    for (guint i = 0; i < check->verdicts->len; i++) {
        const Verdict *v = &g_array_index(check->verdicts, Verdict, i);
        json_builder_begin_object(json);
        scen_json_text(json, "node", v->node);
        scen_json_text(json, "coefficients", v->fit);
        scen_json_text(json, "operation", v->operation);
        if (v->span >= TIMES_FIRST) {
            scen_json_number(json, "from_s", spans[v->span].from_bytes);
            if (v->span < TIMES_LAST)
                scen_json_number(json, "to_s", spans[v->span].to_bytes);
        } else if (v->span != ALL_SIZES) {
            scen_json_number(json, "from_bytes", spans[v->span].from_bytes);
            scen_json_number(json, "to_bytes", spans[v->span].to_bytes);
        }
        scen_json_integer(json, "rows", (gint64)v->shipped.rows);
        scen_json_integer(json, "extrapolated_rows", (gint64)v->extrapolated);
        add_error(json, "", &v->shipped);
        if (v->held_out.rows > 0)
            add_error(json, "held_out_", &v->held_out);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    const Verdict *worst = worst_of(check);
    if (worst)
        scen_json_number(json, "worst_median_error_fraction", worst->shipped.median_fraction);
    json_builder_end_object(json);
    g_autofree char *text = scen_json_finish(json);
    fputs(text, stdout);
}

void scen_fit_check_print(const ScenFitCheck *check, bool as_json)
{
    if (as_json)
        print_json(check);
    else
        print_text(check);
}
