declare module "clownfish-core-tests" {
  export default function load(options: { module_or_path: string }): Promise<unknown>;
  export function install_storage(folder: string): Promise<void>;
  export function conformance_cases(): string[];
  export function conformance_case(name: string): void;
}
