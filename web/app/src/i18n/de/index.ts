export * as shell from "./shell";
export * as chat from "./chat";
export * as people from "./people";
export * as welcome from "./welcome";
export * as rooms from "./rooms";
export * as reasons from "./reasons";
