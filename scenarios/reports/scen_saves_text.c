/* What a checkpoint, a restart and copies to peers are made of: bytes, the parts of their time, and
 * which link or server holds them back. Times that the scenario gives instead are named. */
#include "scen_run_report.h"
#include "scen_text.h"

enum { LABEL = 13 };

/* @bytes in the unit that suits them; the caller owns it. */
static char *bytes_text(double bytes)
{
    if (bytes >= 1e12)
        return g_strdup_printf("%.4g TB", bytes / 1e12);
    return bytes >= 1e9 ? g_strdup_printf("%.4g GB", bytes / 1e9)
                        : g_strdup_printf("%.4g MB", bytes / 1e6);
}

static void add_checkpoint(GString *out, const ScenRunReport *report)
{
    const ScenCampaign *campaign = &report->scenario->campaign;
    const StratSaves *s = report->saves;
    g_autofree char *bytes = bytes_text(s->write.bytes);
    g_autofree char *copy = scen_text_seconds(s->write.copy_s);
    g_autofree char *save = scen_text_seconds(s->save_s);
    g_autofree char *block = scen_text_seconds(s->block_s);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text,
                    "%s: in host memory after %s, in %s after %s (bound by the %s); stops training "
                    "for %s",
                    bytes, copy, campaign->storage.row.name, save, s->write.bound, block);
    if (s->slowed_s > 0.0) {
        g_autofree char *slowed = scen_text_seconds(s->slowed_s);
        g_string_append_printf(text, " and slows it by %s", slowed);
    }
    if (campaign->gives_block || campaign->gives_save)
        g_string_append_printf(text, "; given instead:%s%s", campaign->gives_block ? " block" : "",
                               campaign->gives_save ? " save" : "");
    double memory = report->scenario->cluster.node.host_memory_bytes;
    if (memory > 0.0 && s->host_bytes > memory) {
        g_autofree char *needs = bytes_text(s->host_bytes), *has = bytes_text(memory);
        g_string_append_printf(text, "; a node needs %s of host memory and has %s", needs, has);
    }
    scen_text_line(out, LABEL, "Checkpoint", "%s", text->str);
}

static void add_restart(GString *out, const ScenRunReport *report)
{
    const StratSaves *s = report->saves;
    g_autofree char *bytes = bytes_text(s->read.bytes);
    g_autofree char *read = scen_text_seconds(s->read.total_s - s->read.copy_s);
    g_autofree char *copy = scen_text_seconds(s->read.copy_s);
    g_autofree char *round = scen_text_seconds(s->hand_round_s);
    g_autofree char *load = scen_text_seconds(s->load_s);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text, "reads %s in %s (bound by the %s), %s to the GPUs", bytes, read,
                    s->read.bound, copy);
    if (s->hand_round_s > 0.0)
        g_string_append_printf(text, ", %s round the data groups", round);
    g_string_append_printf(text, ": %s", load);
    if (report->scenario->campaign.gives_load)
        g_string_append(text, "; given instead");
    scen_text_line(out, LABEL, "Restart", "%s", text->str);
}

static void add_peers(GString *out, const ScenRunReport *report)
{
    const ScenCampaign *campaign = &report->scenario->campaign;
    const StratSaves *s = report->saves;
    g_autofree char *back = scen_text_seconds(s->peer_load_s);
    g_autoptr(GString) text = g_string_new(NULL);
    if (campaign->spec.recovery.policy->peers == STRAT_PEERS_NODE) {
        g_autofree char *bytes = bytes_text(s->copy_bytes);
        g_autofree char *copy = scen_text_seconds(s->copy_s);
        g_autofree char *idle = scen_text_seconds(s->idle_s);
        g_autofree char *block = scen_text_seconds(s->copy_block_s);
        g_string_printf(text,
                        "a round of copies, %s of the busiest node, takes %s; the network is idle "
                        "for %s between two; training stops for %s. ",
                        bytes, copy, idle, s->copy_block_s > 0.0 ? block : "none of it");
    }
    g_string_append_printf(text, "State comes back from peers in %s%s", back,
                           campaign->gives_peer_load ? "; given instead" : "");
    scen_text_line(out, LABEL, "Peers", "%s", text->str);
}

void scen_saves_text(GString *out, const ScenRunReport *report)
{
    add_checkpoint(out, report);
    add_restart(out, report);
    if (report->scenario->campaign.spec.recovery.policy->peers != STRAT_PEERS_NONE)
        add_peers(out, report);
}
