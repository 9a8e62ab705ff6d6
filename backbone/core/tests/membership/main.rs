//! The machine by which nodes agree who owns which slot, by its inputs and outputs, with virtual time and rows.

mod deaths;
mod identity;
mod joins;
mod leases;
mod leaves;
mod mesh;
mod next_view;
mod plan;
mod rules;
mod shown;
mod steps;
