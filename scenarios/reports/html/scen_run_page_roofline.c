/* The roofline of a step's operations (strat_roofline.c): a point an operation and pass, under the
 * datasheet's rates of arithmetic in the types that are used and of memory. Passes over memory count
 * no FLOPs, so they have no place on the chart; their rates of memory are in the table.
 */
#include "scen_run_page.h"

#include "scen_plan_diff.h"
#include "strat_product.h"
#include "strat_roofline.h"

#include <math.h>

static const char *const passes[] = {
    [STRAT_PASS_FORWARD] = "forward",
    [STRAT_PASS_BACKWARD] = "backward",
    [STRAT_PASS_RECOMPUTE] = "recomputation",
};

static void add_columns(ScenPageFigure *figure)
{
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_LABEL, "Operation", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_GROUP, "Pass", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_X, "Intensity", "FLOP/byte");
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_Y, "Rate", "TFLOP/s");
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_SIZE, "Share of the step", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Work", "GFLOP");
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_ASIDE, "Moved", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Time", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Of memory", "TB/s");
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "Of the roof", NULL);
}

static double roof_of(double intensity, double peak_flop_per_s, double bytes_per_s)
{
    return fmin(peak_flop_per_s, intensity * bytes_per_s);
}

/* A slope of memory from @from (FLOP/byte) to the ridge, and the flat from there to @until. */
static void add_roof(ScenPageFigure *figure, const TopoGpu *gpu, TopoDtype dtype, double from,
                     double until)
{
    double tera = 1e-12, peak = gpu->peak_flop_per_s[dtype], memory = gpu->memory_bytes_per_s;
    double ridge = peak / memory;
    g_autofree char *flat =
        g_strdup_printf("%s: %.0f TFLOP/s", scen_plan_word("precision", (int)dtype), peak * tera);
    g_autofree char *slope = g_strdup_printf("memory: %.2f TB/s", memory * tera);
    scen_page_guide(figure, slope, from, from * memory * tera, ridge, peak * tera);
    scen_page_guide(figure, flat, ridge, peak * tera, fmax(until, 2.0 * ridge), peak * tera);
}

static void add_point(ScenPageFigure *figure, const StratRoofPoint *point, const TopoGpu *gpu,
                      double peak_flop_per_s, double share)
{
    double intensity = point->flop / point->bytes, rate = point->flop / point->seconds;
    g_autofree char *name =
        g_strdup_printf("%s%s", point->label, point->is_experts ? " (experts)" : "");
    bool computes = point->flop > 0.0;
    scen_page_cell_text(figure, name);
    scen_page_cell_text(figure, passes[point->pass]);
    scen_page_cell(figure, computes ? intensity : NAN);
    scen_page_cell(figure, computes ? rate * 1e-12 : NAN);
    scen_page_cell(figure, share);
    scen_page_cell(figure, computes ? point->flop * 1e-9 : NAN);
    scen_page_cell(figure, point->bytes);
    scen_page_cell(figure, point->seconds);
    scen_page_cell(figure, point->bytes / point->seconds * 1e-12);
    scen_page_cell(figure, computes
                               ? rate / roof_of(intensity, peak_flop_per_s, gpu->memory_bytes_per_s)
                               : point->bytes / point->seconds / gpu->memory_bytes_per_s);
}

void scen_run_page_roofline(ScenPage *page, const StratCosting *costing, double step_s,
                            double microbatches)
{
    const TopoGpu *gpu = costing->device.gpu;
    const StratPlan *plan = costing->plan;
    TopoDtype wide = strat_wide_dtype(plan->precision);
    double peak = gpu->peak_flop_per_s[plan->precision], least = INFINITY, most = 0.0;
    g_autoptr(GArray) points = strat_roofline(costing);
    if (points->len == 0 || peak <= 0.0)
        return;
    scen_page_section(page, "How fast the operations run", NULL);
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_SCATTER, "roofline", "Roofline of the operations",
        "Each operation of a layer, by what it computes for a byte of memory and how fast it does "
        "so, under the datasheet's rates. The larger a point, the more of the step it takes.");
    add_columns(figure);
    scen_page_axes(figure, SCEN_PAGE_LOG_X | SCEN_PAGE_LOG_Y);
    for (guint i = 0; i < points->len; i++) {
        const StratRoofPoint *point = &g_array_index(points, StratRoofPoint, i);
        double times = point->layers * microbatches / (double)plan->pipeline;
        add_point(figure, point, gpu, peak, point->seconds * times / step_s);
        if (point->flop > 0.0) {
            least = fmin(least, point->flop / point->bytes);
            most = fmax(most, point->flop / point->bytes);
        }
    }
    add_roof(figure, gpu, plan->precision, 0.5 * fmin(least, peak / gpu->memory_bytes_per_s),
             2.0 * most);
    if (wide != plan->precision && gpu->peak_flop_per_s[wide] > 0.0)
        add_roof(figure, gpu, wide, 0.5 * fmin(least, peak / gpu->memory_bytes_per_s), 2.0 * most);
    scen_page_remark(figure, "Seconds are those that the step is priced with, launches included; "
                             "bytes are those that an operation must move once. Passes over memory "
                             "count no FLOPs and stand in the table alone; communication, casts, "
                             "the accumulation of gradients and the optimizer are left out.");
}
