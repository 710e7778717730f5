/* Judging the shipped coefficients of serving on measured rows: by class, and each operation over
 * all its classes. A class that the profile lacks is judged by the one that would price it. */
#include "scen_fit_serve.h"

#include <math.h>
#include <string.h>

enum { FOLDS_LEAST_ROWS = 60 };

typedef enum Operation { PREFILL, DECODE, MOE } Operation;

/* Who judges what. */
typedef struct Judge {
    const TopoGpu *gpu;
    const KernProfile *profile;
    size_t folds;
    ScenServeVerdict verdict;
    void *ctx;
    GArray *all; /* of ScenServeJudged: the classes of one operation so far */
} Judge;

/* Rows take turns by a hash of their place (Knuth, volume 3, section 6.4), not by their order,
 * which follows the sizes. */
static size_t fold_of(size_t row, size_t folds)
{
    return (size_t)(((uint32_t)row * 2654435761u) >> 16) % folds;
}

static size_t row_size(Operation operation)
{
    static const size_t sizes[] = {
        [PREFILL] = sizeof(KernPrefillRow),
        [DECODE] = sizeof(KernDecodeRow),
        [MOE] = sizeof(KernMoeRow),
    };
    return sizes[operation];
}

/* Room for the fit of any operation. */
typedef union AnyFit {
    KernPrefillFit prefill;
    KernDecodeFit decode;
    KernMoeFit moe;
} AnyFit;

static double ratio_of(const Judge *judge, Operation operation, const AnyFit *fit, const void *row)
{
    switch (operation) {
    case PREFILL:
        return kern_fit_prefill_log_ratio(judge->gpu, &fit->prefill, row);
    case DECODE:
        return kern_fit_decode_log_ratio(judge->gpu, &fit->decode, row);
    case MOE:
        break;
    }
    return kern_fit_moe_log_ratio(judge->gpu, &fit->moe, row);
}

static void fit_rows(const Judge *judge, Operation operation, const void *rows, size_t count,
                     AnyFit *fit)
{
    *fit = (AnyFit){0};
    if (operation == PREFILL)
        kern_fit_prefill(judge->gpu, rows, count, SCEN_SERVE_ROWS_SEARCHED, &fit->prefill);
    else if (operation == DECODE)
        kern_fit_decode(judge->gpu, rows, count, SCEN_SERVE_ROWS_SEARCHED, &fit->decode);
    else
        kern_fit_moe(judge->gpu, rows, count, SCEN_SERVE_ROWS_SEARCHED, &fit->moe);
}

/* The coefficients that price @row. */
static bool shipped_fit(const Judge *judge, Operation operation, const void *row, AnyFit *fit)
{
    const void *found;
    if (operation == PREFILL) {
        found = kern_prefill_fit(judge->profile, &((const KernPrefillRow *)row)->shape);
        if (found)
            fit->prefill = *(const KernPrefillFit *)found;
    } else if (operation == DECODE) {
        found = kern_decode_fit(judge->profile, &((const KernDecodeRow *)row)->shape);
        if (found)
            fit->decode = *(const KernDecodeFit *)found;
    } else {
        found = kern_moe_fit(judge->profile, &((const KernMoeRow *)row)->shape);
        if (found)
            fit->moe = *(const KernMoeFit *)found;
    }
    return found != NULL;
}

static double seconds_of(Operation operation, const void *row)
{
    if (operation == PREFILL)
        return ((const KernPrefillRow *)row)->seconds;
    if (operation == DECODE)
        return ((const KernDecodeRow *)row)->seconds;
    return ((const KernMoeRow *)row)->seconds;
}

static void hold_out(const Judge *judge, Operation operation, const GArray *rows,
                     ScenServeJudged *judged)
{
    size_t size = row_size(operation);
    g_autofree char *kept = g_malloc(rows->len * size);
    for (size_t fold = 0; fold < judge->folds; fold++) {
        size_t count = 0;
        for (size_t i = 0; i < rows->len; i++)
            if (fold_of(i, judge->folds) != fold)
                memcpy(kept + count++ * size, rows->data + i * size, size);
        AnyFit fit;
        fit_rows(judge, operation, kept, count, &fit);
        for (size_t i = 0; i < rows->len; i++)
            if (fold_of(i, judge->folds) == fold)
                judged[i].held_out_log_ratio =
                    ratio_of(judge, operation, &fit, rows->data + i * size);
    }
}

static void judge_class(Judge *judge, Operation operation, const char *name, const GArray *rows)
{
    AnyFit fit;
    if (rows->len == 0 || !shipped_fit(judge, operation, rows->data, &fit))
        return;
    g_autofree ScenServeJudged *judged = g_new0(ScenServeJudged, rows->len);
    size_t size = row_size(operation);
    for (size_t i = 0; i < rows->len; i++) {
        judged[i].seconds = seconds_of(operation, rows->data + i * size);
        judged[i].log_ratio = ratio_of(judge, operation, &fit, rows->data + i * size);
        judged[i].held_out_log_ratio = judged[i].log_ratio; /* too few rows to hold any out */
    }
    if (judge->folds > 1 && rows->len >= FOLDS_LEAST_ROWS)
        hold_out(judge, operation, rows, judged);
    judge->verdict(judge->ctx, name, judged, rows->len);
    g_array_append_vals(judge->all, judged, rows->len);
}

static void end_operation(Judge *judge, const char *name)
{
    if (judge->all->len > 0)
        judge->verdict(judge->ctx, name, (const ScenServeJudged *)(void *)judge->all->data,
                       judge->all->len);
    g_array_set_size(judge->all, 0);
}

static void judge_attention(Judge *judge, ScenServeRows *serve, Operation operation)
{
    const char *what = operation == PREFILL ? "prefill" : "decode";
    for (int h = 0; h < KERN_HEAD_COUNT; h++)
        for (int c = 0; c < KERN_CACHE_COUNT; c++) {
            const GArray *rows = operation == PREFILL ? serve->prefill[h][c] : serve->decode[h][c];
            g_autofree char *name = g_strdup_printf("%s, %s%s", what, kern_head_name((KernHead)h),
                                                    c == KERN_CACHE_FP8 ? "_fp8" : "");
            judge_class(judge, operation, name, rows);
        }
    end_operation(judge, operation == PREFILL ? "prefill attention" : "decode attention");
}

void scen_fit_serve_judge(ScenServeRows *serve, const TopoGpu *gpu, const KernProfile *profile,
                          size_t folds, ScenServeVerdict verdict, void *ctx)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(ScenServeJudged));
    Judge judge = {gpu, profile, folds, verdict, ctx, all};
    scen_serve_rows_drop_impossible(serve, gpu);
    judge_attention(&judge, serve, PREFILL);
    judge_attention(&judge, serve, DECODE);
    for (int t = 0; t < KERN_MOE_TYPES; t++)
        for (int f = 0; f < KERN_MOE_FAMILIES; f++) {
            g_autofree char *name =
                g_strdup_printf("moe, %s %s", kern_moe_type_name((KernMoeType)t),
                                kern_moe_family_name((KernMoeFamily)f));
            judge_class(&judge, MOE, name, serve->moe[t][f]);
        }
    end_operation(&judge, "moe");
}
