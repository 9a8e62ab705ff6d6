//! The rules of the mesh: what lies beside the view, what this node's configuration changes of it, and what is given out.
//!
//! They change with the view, by the same compare-and-set, and are read with it. So what was found to be allowed is still allowed
//! when it is written: in between, neither rules nor members have changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use smol_str::SmolStr;
use trunkline_shared::rules::Rules;
use trunkline_shared::{Instant, Now, ViewVersion};
use trunkline_store_core::StoreError;

use super::asked::Kind;
use super::io::{MembershipOutput, MembershipRequest, OwnRules};
use super::kept_rules::{FixedChange, KeptRules};
use super::{Membership, Phase};

/// What a life knows of the rules.
#[derive(Debug)]
pub(super) struct MeshRules {
    /// Its process's configuration, until the mesh has it.
    wish: Option<Rules>,
    /// The latest that were seen; later than the row's where a server has lost what it had.
    latest: Option<Arc<KeptRules>>,
    row: InRow,
    /// Which namespaces have data, as far as it was asked since the row is as it is.
    have_heads: BTreeMap<SmolStr, bool>,
    /// The version that was given out, by this life or the one before it; 0 before.
    given: u64,
    /// Why the node doesn't begin.
    refused: Option<String>,
}

/// What lies beside the view.
#[derive(Debug, Default)]
enum InRow {
    #[default]
    Nothing,
    Kept(Bytes, Arc<KeptRules>),
    Unreadable(Bytes, String),
}

/// What becomes of the rules with the next view.
pub(super) enum Plan {
    /// They stay as they are.
    Keep,
    Write(Arc<KeptRules>),
    /// Whether these namespaces have data must be known first.
    Ask(Vec<SmolStr>),
    /// The configuration can't become the mesh's, as these lines say.
    Refuse(String),
}

impl MeshRules {
    pub(super) fn new(own: OwnRules) -> Self {
        let (wish, latest) = match own {
            OwnRules::Configured(rules) => (Some(rules), None),
            OwnRules::Held(kept) => (None, Some(kept)),
        };
        Self {
            given: latest.as_ref().map_or(0, |held| held.version()),
            wish,
            latest,
            row: InRow::default(),
            have_heads: BTreeMap::new(),
            refused: None,
        }
    }

    /// Version of the rules that were given out; 0 before.
    pub(super) const fn given(&self) -> u64 {
        self.given
    }

    /// What was asked about a row counts for this row only.
    pub(super) fn forget_answers(&mut self) {
        self.have_heads.clear();
    }

    /// Takes what lies beside the view; whether it can't be read, and could before.
    pub(super) fn know(&mut self, rules: Option<Bytes>) -> bool {
        let Some(rules) = rules else {
            self.row = InRow::Nothing;
            return false;
        };
        match &self.row {
            InRow::Kept(known, _) | InRow::Unreadable(known, _) if *known == rules => false,
            InRow::Nothing | InRow::Kept(..) | InRow::Unreadable(..) => {
                match KeptRules::read(&rules) {
                    Ok(kept) => {
                        self.keep(rules, Arc::new(kept));
                        false
                    }
                    Err(error) => {
                        self.row = InRow::Unreadable(rules, error.to_string());
                        true
                    }
                }
            }
        }
    }

    /// They lie beside the view. A configuration that they say is done with: others may change it again.
    fn keep(&mut self, bytes: Bytes, kept: Arc<KeptRules>) {
        self.wish = self.wish.take().filter(|wish| !kept.say(wish));
        let latest = self.latest.as_ref().map(|latest| latest.version());
        if latest < Some(kept.version()) {
            self.latest = Some(Arc::clone(&kept));
        }
        self.row = InRow::Kept(bytes, kept);
    }

    /// They were written.
    pub(super) fn wrote(&mut self, kept: Arc<KeptRules>) {
        self.keep(kept.write(), kept);
    }

    /// Whether the row, which names `version`, hasn't the latest rules under it.
    fn is_behind(&self, version: u64) -> bool {
        match &self.row {
            InRow::Nothing => true,
            InRow::Kept(_, kept) => {
                let latest = self.latest.as_ref().map(|latest| latest.version());
                kept.version() != version || latest > Some(version)
            }
            InRow::Unreadable(..) => false,
        }
    }
}

impl Membership {
    /// What becomes of the rules with the view of a version.
    pub(super) fn plan_rules(&self, version: ViewVersion) -> Plan {
        let rules = &self.rules;
        let view = self.row.view.as_deref();
        let named = view.map_or(0, |view| view.rules_version);
        let latest = rules.latest.as_ref();
        let known = latest.map_or(0, |latest| latest.version());
        // The clock leads it as it leads the view's, for edges that outlive their store.
        let next = (known.max(named) + 1).max(version.number);
        match (&rules.row, &rules.wish, latest) {
            (InRow::Unreadable(_, why), Some(_), _) => Plan::Refuse(format!(
                "the rules of the mesh can't be read, a later program may have written them: {why}"
            )),
            (_, Some(wish), Some(latest)) => self.plan_wish(wish, latest, next),
            (_, Some(wish), None) => Plan::Write(Arc::new(KeptRules::first(wish.clone(), next))),
            // Who comes first writes them anew, for edges that know later ones of a store that was replaced.
            (InRow::Nothing | InRow::Kept(..), None, Some(latest))
                if rules.is_behind(named) || self.is_first() =>
            {
                Plan::Write(Arc::new(KeptRules::clone(latest).again(next)))
            }
            (InRow::Nothing | InRow::Kept(..) | InRow::Unreadable(..), None, _) => Plan::Keep,
        }
    }

    fn plan_wish(&self, wish: &Rules, latest: &KeptRules, next: u64) -> Plan {
        let changes = latest.fixed_changes(wish);
        let have_heads = &self.rules.have_heads;
        let unknown = changes
            .iter()
            .map(|change| SmolStr::new(&change.namespace))
            .filter(|namespace| !have_heads.contains_key(namespace));
        let mut unknown: Vec<_> = unknown.collect();
        if !unknown.is_empty() {
            unknown.dedup();
            return Plan::Ask(unknown);
        }
        let refusals = changes.iter().filter_map(|change| self.refusal(change));
        let refusals: Vec<_> = refusals.collect();
        if refusals.is_empty() {
            Plan::Write(Arc::new(latest.followed_by(wish.clone(), next)))
        } else {
            Plan::Refuse(refusals.join("\n"))
        }
    }

    /// What stands in the way of a change. Where nobody else lives nobody gives the namespace data before it is written.
    fn refusal(&self, change: &FixedChange) -> Option<String> {
        let has_data = self.rules.have_heads.get(&*change.namespace) == Some(&true);
        if has_data {
            Some(format!("{change}: it has data"))
        } else if change.was_durable && !self.is_nobody_else() {
            Some(format!("{change} while another node lives"))
        } else {
            None
        }
    }

    fn is_first(&self) -> bool {
        let is_in = self.row.view.as_ref().is_some_and(|view| self.is_in(view));
        !is_in && self.is_nobody_else()
    }

    /// Whether no other member of the row's view lives.
    fn is_nobody_else(&self) -> bool {
        let dead = self.dead();
        let members = self.row.view.iter().flat_map(|view| &view.members);
        let mut others = members.filter(|member| member.incarnation != self.me.incarnation);
        others.all(|member| dead.contains(&member.incarnation))
    }

    pub(super) fn ask_heads(&mut self, now: Now, names: Vec<SmolStr>) {
        let kind = Kind::HaveHeads(names.clone());
        self.ask(now, kind, MembershipRequest::HaveHeads(names));
    }

    pub(super) fn on_have_heads(
        &mut self,
        now: Now,
        sent: Instant,
        kind: Kind,
        found: Result<Vec<bool>, StoreError>,
    ) {
        let Kind::HaveHeads(names) = kind else {
            return;
        };
        if !matches!(self.phase, Phase::Named) {
            return;
        }
        match found {
            // Of before the row became what it is: asked again.
            Ok(_) if !self.row.was_known_before(sent) => self.decide(now),
            Ok(found) => {
                self.rules.have_heads.extend(names.into_iter().zip(found));
                self.decide(now);
            }
            // Who sends heartbeats decides anew after the next one.
            Err(_) if self.config.alone => self.beat_after(now, sent),
            Err(_) => {}
        }
    }

    /// Ends the life: its process's configuration can't become the mesh's.
    pub(super) fn refuse(&mut self, now: Now, lines: String) {
        self.rules.refused = Some(lines);
        if self.config.alone {
            self.end_as_meant();
        } else {
            self.resign(now);
        }
    }

    /// The last word of a life that meant to end.
    pub(super) fn end_as_meant(&mut self) {
        let refused = self.rules.refused.take();
        self.end(refused.map_or(MembershipOutput::Left, MembershipOutput::RulesRefused));
    }

    /// Gives out what lies beside the view, if it is later than what was given out.
    pub(super) fn give_rules(&mut self) {
        if let InRow::Kept(_, kept) = &self.rules.row
            && kept.version() > self.rules.given
        {
            self.rules.given = kept.version();
            let kept = Arc::clone(kept);
            self.outputs.push_back(MembershipOutput::Rules(kept));
        }
    }
}
