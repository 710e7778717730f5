/* Time and money to a target, by the size of the batch. */
#include "scen_json.h"
#include "scen_run_report.h"
#include "scen_text.h"

void scen_training_run_text(GString *out, const ScenRunReport *report)
{
    const ScenTrainingRun *run = report->training_run;
    const StratTarget *target = &report->scenario->training_run;
    if (!run)
        return;
    g_string_append_printf(out,
                           "\nTo what a small batch reaches with %.4g tokens; critical batch %.4g "
                           "tokens (%s)\n"
                           "  sequences  tokens/batch    tokens     steps      days  GPU-hours%s\n",
                           target->tokens, run->critical_tokens, target->law,
                           run->usd_per_gpu_hour > 0.0 ? "          $" : "");
    for (guint i = 0; i < run->rows->len; i++) {
        const ScenBatchRow *row = &g_array_index(run->rows, ScenBatchRow, i);
        g_string_append_printf(out, "  %9" G_GINT64_FORMAT " %13.4g %9.4g %9.0f %9.2f %10.4g",
                               row->sequences, row->batch_tokens, row->tokens, row->steps,
                               row->days, row->gpu_hours);
        if (run->usd_per_gpu_hour > 0.0)
            g_string_append_printf(out, " %10.4g", row->usd);
        g_string_append(out, row->is_own ? "  <- the plan's\n" : "\n");
    }
    double length = (double)report->scenario->plan.sequence_length;
    if (run->best.best > 0.0)
        g_string_append_printf(out,
                               "  soonest on these GPUs with %.0f sequences; within 5 %% of that "
                               "from %.0f to %.0f\n",
                               run->best.best / length, run->best.low / length,
                               run->best.high / length);
    else if (run->rows->len > 1)
        g_string_append(out, "  the smallest batch is soonest: a step has no part that all batches "
                             "take alike\n");
}

static void row_json(JsonBuilder *json, const ScenBatchRow *row, bool priced)
{
    json_builder_begin_object(json);
    scen_json_integer(json, "sequences", row->sequences);
    scen_json_boolean(json, "is_plan", row->is_own);
    scen_json_number(json, "batch_tokens", row->batch_tokens);
    scen_json_number(json, "step_time_s", row->step_s);
    scen_json_number(json, "tokens", row->tokens);
    scen_json_number(json, "steps", row->steps);
    scen_json_number(json, "days", row->days);
    scen_json_number(json, "gpu_hours", row->gpu_hours);
    if (priced)
        scen_json_number(json, "usd", row->usd);
    json_builder_end_object(json);
}

void scen_training_run_json(JsonBuilder *json, const ScenRunReport *report)
{
    const ScenTrainingRun *run = report->training_run;
    if (!run)
        return;
    json_builder_set_member_name(json, "training_run");
    json_builder_begin_object(json);
    scen_json_number(json, "target_tokens", report->scenario->training_run.tokens);
    scen_json_number(json, "critical_batch_tokens", run->critical_tokens);
    scen_json_text(json, "critical_batch_law", report->scenario->training_run.law);
    json_builder_set_member_name(json, "batches");
    json_builder_begin_array(json);
    for (guint i = 0; i < run->rows->len; i++)
        row_json(json, &g_array_index(run->rows, ScenBatchRow, i), run->usd_per_gpu_hour > 0.0);
    json_builder_end_array(json);
    scen_json_number(json, "soonest_batch_tokens", run->best.best);
    scen_json_number(json, "within_5_percent_from_tokens", run->best.low);
    scen_json_number(json, "within_5_percent_to_tokens", run->best.high);
    json_builder_end_object(json);
}
