/* Incidents over time: above, a bar each, as high as the time that it took, in the colours of the
 * buckets; below, the share of the time lost to them so far. In the style of scen_serve_curves.c.
 */
#include "scen_incidents.h"

#include <math.h>
#include <string.h>

static const double width = 900.0, panel = 160.0, left = 70.0, right = 20.0, top = 40.0, gap = 46.0;
static const double MINUTE_S = 60.0, DAY_S = 86400.0;

static const char *const colours[STRAT_LOST_COUNT] = {
    [STRAT_LOST_DEGRADED] = "#8a6fb0",   [STRAT_LOST_MISSING] = "#5f9e6e",
    [STRAT_LOST_CHECKPOINT] = "#3f8fbf", [STRAT_LOST_DETECTION] = "#e8871e",
    [STRAT_LOST_WAIT] = "#b8b02c",       [STRAT_LOST_RESTART] = "#1f3b5c",
    [STRAT_LOST_REWORK] = "#c0392b",
};

static const StratIncident *incident_of(const GArray *incidents, guint i)
{
    return &g_array_index(incidents, StratIncident, i);
}

static double across(const StratCampaignResult *r, SimTime at)
{
    return left + (width - left - right) * sim_time_to_seconds(at) / r->duration_s;
}

/* Names of the buckets that took time, side by side. */
static void add_legend(GString *out, const StratCampaignResult *r)
{
    double x = left, letter = 7.5, between = 20.0;
    for (int b = 0; b < STRAT_LOST_COUNT; b++) {
        if (!colours[b] || r->lost[b].mean <= 0.0)
            continue;
        g_string_append_printf(out, "<text x=\"%g\" y=\"16\" fill=\"%s\">%s</text>\n", x,
                               colours[b], strat_lost_name((StratLost)b));
        x += letter * (double)strlen(strat_lost_name((StratLost)b)) + between;
    }
}

static void add_frame(GString *out, const char *title, double y, double most, double days)
{
    g_string_append_printf(out,
                           "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"none\" "
                           "stroke=\"#bbb\"/>\n<text x=\"%g\" y=\"%g\">%s</text>\n"
                           "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">%.4g</text>\n"
                           "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">0</text>\n"
                           "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">%.4g days</text>\n",
                           left, y, width - left - right, panel, left, y - 6.0, title, left - 6.0,
                           y + 10.0, most, left - 6.0, y + panel, width - right, y + panel + 16.0,
                           days);
}

static void add_bar(GString *out, const StratCampaignResult *r, const StratIncident *incident,
                    double y, double most_s)
{
    double x = across(r, incident->at), down = y + panel;
    for (int b = 0; b < STRAT_LOST_COUNT; b++) {
        double height = panel * sim_time_to_seconds(incident->span[b]) / most_s;
        if (height <= 0.0 || !colours[b])
            continue;
        down -= height;
        g_string_append_printf(out,
                               "<rect x=\"%.1f\" y=\"%.1f\" width=\"1.5\" height=\"%.1f\" "
                               "fill=\"%s\"/>\n",
                               x, down, height, colours[b]);
    }
}

static void add_share(GString *out, const StratCampaignResult *r, double y, double most)
{
    double lost_s = 0.0;
    g_string_append_printf(out, "<path d=\"M%g %.1f", left, y + panel);
    for (guint i = 0; i < r->incidents->len; i++) {
        lost_s += sim_time_to_seconds(strat_incident_lost(incident_of(r->incidents, i)));
        g_string_append_printf(out, "H%.1fV%.1f", across(r, incident_of(r->incidents, i)->at),
                               y + panel * (1.0 - lost_s / r->duration_s / most));
    }
    g_string_append_printf(out, "H%g\" fill=\"none\" stroke=\"#1f3b5c\"/>\n", width - right);
}

char *scen_incidents_svg(const StratCampaignResult *r)
{
    GString *out = g_string_new(NULL);
    double most_s = 0.0, sum_s = 0.0, height = top + 2.0 * (panel + gap);
    for (guint i = 0; i < r->incidents->len; i++) {
        double lost_s = sim_time_to_seconds(strat_incident_lost(incident_of(r->incidents, i)));
        most_s = fmax(most_s, lost_s);
        sum_s += lost_s;
    }
    most_s = fmax(most_s, 1.0);
    double share = fmax(sum_s / r->duration_s, 1e-9), days = r->duration_s / DAY_S;
    g_string_append_printf(out,
                           "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" "
                           "font-family=\"sans-serif\" font-size=\"13\">\n"
                           "<rect width=\"%g\" height=\"%g\" fill=\"#fff\"/>\n",
                           width, height, width, height);
    add_legend(out, r);
    add_frame(out, "Lost to each incident, min", top, most_s / MINUTE_S, days);
    for (guint i = 0; i < r->incidents->len; i++)
        add_bar(out, r, incident_of(r->incidents, i), top, most_s);
    add_frame(out, "Lost so far, % of the time", top + panel + gap, 100.0 * share, days);
    add_share(out, r, top + panel + gap, share);
    g_string_append(out, "</svg>\n");
    return g_string_free(out, FALSE);
}
