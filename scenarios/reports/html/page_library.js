// What of ECharts the report draws with; esbuild bundles it into one script that defines `echarts`.
import * as core from "echarts/core";
import { BarChart, CustomChart, GraphChart, LineChart, ScatterChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

core.use([
    BarChart, CustomChart, GraphChart, LineChart, ScatterChart,
    DataZoomComponent, GridComponent, MarkLineComponent, TooltipComponent,
    CanvasRenderer, LabelLayout, SVGRenderer,
]);

export const init = core.init;
