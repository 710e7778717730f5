/* Curves of a serving run: one panel each for running and waiting requests and the fill of the KV
 * cache, time from left to right, the simulated run as a dark line over the measured one in orange.
 * Samples are instants: between two the value is that of the earlier one, so lines are steps. */
#include "scen_serve_curves.h"

#include <math.h>

static const double width = 900.0, panel = 160.0, left = 70.0, right = 20.0, top = 40.0, gap = 46.0;

const ScenCurve *scen_serve_curve(size_t index)
{
    static const ScenCurve curves[SCEN_CURVES] = {
        {"Running",  1.0,   "requests", offsetof(StratServeSample, running)    },
        {"Waiting",  1.0,   "requests", offsetof(StratServeSample, waiting)    },
        {"KV cache", 100.0, "%",        offsetof(StratServeSample, kv_fraction)},
    };
    g_assert(index < SCEN_CURVES);
    return &curves[index];
}

static const StratServeSample *sample_of(const GArray *samples, guint index)
{
    return &g_array_index(samples, StratServeSample, index);
}

static double value_of(const ScenCurve *curve, const StratServeSample *sample)
{
    return curve->scale * *(const double *)(const void *)((const char *)sample + curve->offset);
}

static double largest(const ScenCurve *curve, const GArray *samples)
{
    double most = 0.0;
    for (guint i = 0; samples && i < samples->len; i++)
        most = fmax(most, value_of(curve, sample_of(samples, i)));
    return most;
}

double scen_serve_curve_gap(const ScenCurve *curve, const GArray *predicted, const GArray *measured,
                            double *most)
{
    double sum = 0.0;
    *most = largest(curve, measured);
    if (!predicted || predicted->len == 0 || measured->len == 0)
        return 0.0;
    for (guint i = 0, at = 0; i < measured->len; i++) {
        const StratServeSample *m = sample_of(measured, i);
        while (at + 1 < predicted->len && sample_of(predicted, at + 1)->at_s <= m->at_s)
            at++;
        bool over = at + 1 == predicted->len && sample_of(predicted, at)->at_s < m->at_s;
        double here = over ? 0.0 : value_of(curve, sample_of(predicted, at));
        sum += fabs(here - value_of(curve, m));
    }
    return sum / measured->len;
}

/* The steps of one line in a panel whose upper edge is at @y. */
static void add_line(GString *out, const ScenCurve *curve, const GArray *samples, double y,
                     double most, double end_s, const char *style)
{
    g_string_append(out, "<path d=\"");
    for (guint i = 0; i < samples->len; i++) {
        const StratServeSample *s = sample_of(samples, i);
        double across = left + (width - left - right) * s->at_s / end_s;
        double down = y + panel * (1.0 - value_of(curve, s) / most);
        if (i == 0)
            g_string_append_printf(out, "M%.1f %.1f", across, down);
        else
            g_string_append_printf(out, "H%.1fV%.1f", across, down);
    }
    g_string_append_printf(out, "\" fill=\"none\" %s/>\n", style);
}

static void add_panel(GString *out, const ScenCurve *curve, const GArray *predicted,
                      const GArray *measured, double y, double end_s)
{
    double most = fmax(fmax(largest(curve, predicted), largest(curve, measured)), 1e-9);
    g_string_append_printf(out,
                           "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"none\" "
                           "stroke=\"#bbb\"/>\n<text x=\"%g\" y=\"%g\">%s, %s</text>\n"
                           "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">%.4g</text>\n"
                           "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">0</text>\n"
                           "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">%.4g s</text>\n",
                           left, y, width - left - right, panel, left, y - 6.0, curve->name,
                           curve->unit, left - 6.0, y + 10.0, most, left - 6.0, y + panel,
                           width - right, y + panel + 16.0, end_s);
    if (measured)
        add_line(out, curve, measured, y, most, end_s, "stroke=\"#e8871e\" stroke-width=\"2.5\"");
    add_line(out, curve, predicted, y, most, end_s, "stroke=\"#1f3b5c\" stroke-width=\"1.2\"");
}

char *scen_serve_curves_svg(const GArray *predicted, const GArray *measured)
{
    GString *out = g_string_new(NULL);
    double height = top + SCEN_CURVES * (panel + gap);
    double end_s = predicted->len > 0 ? sample_of(predicted, predicted->len - 1)->at_s : 0.0;
    if (measured && measured->len > 0)
        end_s = fmax(end_s, sample_of(measured, measured->len - 1)->at_s);
    g_string_append_printf(out,
                           "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" "
                           "font-family=\"sans-serif\" font-size=\"13\">\n"
                           "<rect width=\"%g\" height=\"%g\" fill=\"#fff\"/>\n"
                           "<text x=\"%g\" y=\"16\" fill=\"#1f3b5c\">simulated</text>\n",
                           width, height, width, height, left);
    if (measured)
        g_string_append_printf(out, "<text x=\"%g\" y=\"16\" fill=\"#e8871e\">measured</text>\n",
                               left + 90.0);
    for (size_t i = 0; i < SCEN_CURVES && end_s > 0.0; i++)
        add_panel(out, scen_serve_curve(i), predicted, measured, top + (double)i * (panel + gap),
                  end_s);
    g_string_append(out, "</svg>\n");
    return g_string_free(out, FALSE);
}
