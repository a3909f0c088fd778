//! The program `gatepost`: see the library's room `cli`.

fn main() -> std::process::ExitCode {
    gatepost::cli::main()
}
