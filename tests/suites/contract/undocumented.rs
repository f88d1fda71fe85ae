//! Finds the items of a WIT package that say too little: no documentation, or errors that are not listed.

use wit_parser::{
    Docs, Function, Interface, PackageId, Resolve, Type, TypeDef, TypeDefKind, TypeOwner,
};

/// The names of all such items, with what each lacks.
pub(super) fn items(resolve: &Resolve, package: PackageId) -> Vec<String> {
    let mut found = Findings::default();
    let package = resolve
        .packages
        .get(package)
        .expect("an id of this resolve");
    found.need(&package.docs, &package.name.to_string());
    for (name, id) in &package.worlds {
        let world = resolve.worlds.get(*id).expect("an id of this resolve");
        found.need(&world.docs, &format!("world {name}"));
    }
    for (name, id) in &package.interfaces {
        let interface = resolve.interfaces.get(*id).expect("an id of this resolve");
        found.need(&interface.docs, &format!("interface {name}"));
        found.interface(resolve, name, interface);
    }
    found.0
}

#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn need(&mut self, docs: &Docs, what: &str) {
        if docs
            .contents
            .as_deref()
            .unwrap_or_default()
            .trim()
            .is_empty()
        {
            self.0.push(format!("{what} has no documentation"));
        }
    }

    fn interface(&mut self, resolve: &Resolve, name: &str, interface: &Interface) {
        for (type_name, id) in &interface.types {
            let definition = resolve.types.get(*id).expect("an id of this resolve");
            if !is_use(resolve, definition) {
                self.definition(&format!("{name}.{type_name}"), definition);
            }
        }
        for (function_name, function) in &interface.functions {
            let what = format!("{name}.{function_name}");
            self.need(&function.docs, &what);
            self.function(resolve, &what, function);
        }
    }

    fn definition(&mut self, what: &str, definition: &TypeDef) {
        self.need(&definition.docs, what);
        let parts: Vec<(&String, &Docs)> = match &definition.kind {
            TypeDefKind::Record(record) => {
                record.fields.iter().map(|f| (&f.name, &f.docs)).collect()
            }
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().map(|c| (&c.name, &c.docs)).collect()
            }
            TypeDefKind::Enum(list) => list.cases.iter().map(|c| (&c.name, &c.docs)).collect(),
            TypeDefKind::Flags(flags) => flags.flags.iter().map(|f| (&f.name, &f.docs)).collect(),
            _ => Vec::new(),
        };
        for (part, docs) in parts {
            self.need(docs, &format!("{what}.{part}"));
        }
    }

    fn function(&mut self, resolve: &Resolve, what: &str, function: &Function) {
        let Some(Type::Id(id)) = function.result else {
            return;
        };
        let result = resolve.types.get(id).expect("an id of this resolve");
        let docs = function.docs.contents.as_deref().unwrap_or_default();
        let may_fail = matches!(&result.kind, TypeDefKind::Result(result) if result.err.is_some());
        if may_fail && !docs.contains("# Errors") {
            self.0.push(format!("{what} does not list its errors"));
        }
    }
}

/// Whether a type is only taken over from another interface, whose documentation it has.
fn is_use(resolve: &Resolve, definition: &TypeDef) -> bool {
    let TypeDefKind::Type(Type::Id(id)) = definition.kind else {
        return false;
    };
    let original = resolve.types.get(id).expect("an id of this resolve");
    matches!(original.owner, TypeOwner::Interface(_)) && original.owner != definition.owner
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("test.wit", text).expect("it parses");
        items(&resolve, package)
    }

    #[test]
    fn each_kind_of_item_is_missed() {
        let text = "package a:b;
            interface i {
                record r { f: u8 }
                variant v { c }
                enum e { d }
                flags g { h }
                resource t { m: func() -> result<_, string>; }
                n: func();
            }
            interface j { use i.{r}; }
            world w {}";
        let missing = [
            "a:b",
            "world w",
            "interface i",
            "i.r",
            "i.r.f",
            "i.v",
            "i.v.c",
            "i.e",
            "i.e.d",
            "i.g",
            "i.g.h",
            "i.t",
            "i.[method]t.m",
            "i.n",
            "interface j",
        ];
        let mut expected: Vec<String> = missing
            .iter()
            .map(|item| format!("{item} has no documentation"))
            .collect();
        expected.push("i.[method]t.m does not list its errors".to_owned());
        let (mut found, mut expected) = (findings(text), expected);
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn documented_items_are_not_missed() {
        let text = "/// A package.
            package a:b;
            /// An interface.
            interface i {
                /// Does it.
                ///
                /// # Errors
                /// - never.
                n: func() -> result<u8, string>;
            }";
        assert_eq!(findings(text), Vec::<String>::new());
    }
}
