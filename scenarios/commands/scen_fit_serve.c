/* The kernels of serving, fitted class by class and printed for a profile. */
#include "scen_fit_serve.h"

#include <math.h>
#include <stdio.h>

static void print_coefficients(const KernCoefficient *list, size_t count, const void *fit)
{
    for (size_t i = 0; i < count; i++) {
        double value = *(const double *)((const char *)fit + list[i].offset);
        value = fabs(value) < 1e-15 ? 0.0 : value; /* where the search left a rounding error */
        if (list[i].time)
            printf("%s%s: %.5g us",
                   i % 5 ? ", "
                   : i   ? ",\n      "
                         : "      ",
                   list[i].key, value * 1e6);
        else
            printf("%s%s: %.5g", i % 5 ? ", " : i ? ",\n      " : "      ", list[i].key, value);
    }
    puts("}");
    fflush(stdout);
}

static void print_fitted(const char *name, const char *suffix, const KernFitted *fitted)
{
    printf("    %s%s: {software: %s, rows: %" G_GINT64_FORMAT
           ", median_error: %.4f, p90_error: %.4f,\n",
           name, suffix, fitted->software, fitted->rows, fitted->median_error_fraction,
           fitted->p90_error_fraction);
}

static void print_attention(ScenServeRows *serve, const TopoGpu *gpu, size_t least, bool decode)
{
    size_t count;
    bool any = false;
    for (int i = 0; i < KERN_HEAD_COUNT * KERN_CACHE_COUNT; i++) {
        int h = i / KERN_CACHE_COUNT, c = i % KERN_CACHE_COUNT;
        const GArray *rows = decode ? serve->decode[h][c] : serve->prefill[h][c];
        if (rows->len < least)
            continue;
        if (!any)
            puts(decode ? "  decode:" : "  prefill:");
        any = true;
        const char *name = kern_head_name((KernHead)h), *suffix = c ? "_fp8" : "";
        if (decode) {
            KernDecodeFit fit = {0};
            kern_fit_decode(gpu, (const KernDecodeRow *)rows->data, rows->len,
                            SCEN_SERVE_ROWS_SEARCHED, &fit);
            print_fitted(name, suffix, &fit.fitted);
            printf("      splits: %s,\n", kern_decode_splits_name(fit.splits));
            const KernCoefficient *list = kern_decode_coefficients(&count);
            print_coefficients(list, count, &fit);
        } else {
            KernPrefillFit fit = {0};
            kern_fit_prefill(gpu, (const KernPrefillRow *)rows->data, rows->len,
                             SCEN_SERVE_ROWS_SEARCHED, &fit);
            print_fitted(name, suffix, &fit.fitted);
            printf("      tile_rows: %d, tile_keys: %d, tiles_per_sm: %d, packs_group: %s,\n",
                   (int)fit.tile_rows, (int)fit.tile_keys, (int)fit.tiles_per_sm,
                   fit.packs_group ? "true" : "false");
            const KernCoefficient *list = kern_prefill_coefficients(&count);
            print_coefficients(list, count, &fit);
        }
    }
}

static void print_moe(ScenServeRows *serve, const TopoGpu *gpu, size_t least)
{
    static const char *const tiles[] = {"best", "by_rank", "by_experts"};
    size_t count;
    const KernCoefficient *list = kern_moe_coefficients(&count);
    bool any = false;
    for (int i = 0; i < KERN_MOE_TYPES * KERN_MOE_FAMILIES; i++) {
        int t = i / KERN_MOE_FAMILIES, f = i % KERN_MOE_FAMILIES;
        const GArray *rows = serve->moe[t][f];
        if (rows->len < least)
            continue;
        if (!any)
            puts("  moe:");
        any = true;
        g_autofree char *family = g_strdup_printf("_%s", kern_moe_family_name((KernMoeFamily)f));
        KernMoeFit fit = {0};
        kern_fit_moe(gpu, (const KernMoeRow *)rows->data, rows->len, SCEN_SERVE_ROWS_SEARCHED,
                     &fit);
        print_fitted(kern_moe_type_name((KernMoeType)t), family, &fit.fitted);
        printf("      tiles: %s, whole_tokens: %s,\n", tiles[fit.tiles],
               fit.whole_tokens ? "true" : "false");
        print_coefficients(list, count, &fit);
    }
}

void scen_fit_serve_print(ScenServeRows *serve, const TopoGpu *gpu, size_t least)
{
    scen_serve_rows_drop_impossible(serve, gpu);
    if (serve->impossible > 0)
        printf("# left out: %" G_GINT64_FORMAT " decode rows that beat the memory's peak\n",
               serve->impossible);
    print_attention(serve, gpu, least, false);
    print_attention(serve, gpu, least, true);
    print_moe(serve, gpu, least);
}
