//! The tree of categories.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use crate::domain::CategoryId;
use crate::storage::StorageError;
use crate::storage::categories::{self, CategoryRow};

/// A category as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// The category.
    pub id: CategoryId,
    /// The source's id.
    pub external_id: Option<String>,
    /// Its parent; `None`: a root.
    pub parent: Option<CategoryId>,
    /// Its title.
    pub title: String,
    /// Its children, in their order.
    pub children: Vec<CategoryId>,
    /// Products on sale right in it.
    pub own: u32,
    /// Products on sale in it and everything below.
    pub total: u32,
}

/// All categories.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: HashMap<CategoryId, Category>,
    roots: Vec<CategoryId>,
    loose: u32,
}

impl Tree {
    pub(super) fn load(conn: &Connection) -> Result<Self, StorageError> {
        let mut tree = Self::default();
        let rows: Vec<CategoryRow> = categories::list(conn)?;
        for row in &rows {
            let node = Category {
                id: row.id,
                external_id: row.external_id.clone(),
                parent: row.parent,
                title: row.title.clone(),
                children: Vec::new(),
                own: 0,
                total: 0,
            };
            tree.nodes.insert(row.id, node);
        }
        for row in &rows {
            match row.parent.and_then(|parent| tree.nodes.get_mut(&parent)) {
                Some(parent) => parent.children.push(row.id),
                None => tree.roots.push(row.id),
            }
        }
        for (category, count) in categories::counts(conn)? {
            let Some(id) = category else {
                tree.loose = count;
                continue;
            };
            if let Some(node) = tree.nodes.get_mut(&id) {
                node.own = count;
            }
            for id in tree.line(id) {
                if let Some(node) = tree.nodes.get_mut(&id) {
                    node.total += count;
                }
            }
        }
        Ok(tree)
    }

    /// The category and those above it, nearest first.
    fn line(&self, id: CategoryId) -> Vec<CategoryId> {
        let mut line = Vec::new();
        let mut at = Some(id);
        while let Some(id) = at {
            if line.contains(&id) {
                break;
            }
            line.push(id);
            at = self.nodes.get(&id).and_then(|node| node.parent);
        }
        line
    }

    /// The category.
    pub fn get(&self, id: CategoryId) -> Option<&Category> {
        self.nodes.get(&id)
    }

    /// The roots, in their order.
    pub fn roots(&self) -> impl Iterator<Item = &Category> {
        self.roots.iter().filter_map(|id| self.nodes.get(id))
    }

    /// The children of a category, in their order.
    pub fn children(&self, id: CategoryId) -> impl Iterator<Item = &Category> {
        let children = self.nodes.get(&id).map_or(&[][..], |node| &node.children);
        children.iter().filter_map(|id| self.nodes.get(id))
    }

    /// Titles from the root to the category.
    pub fn path(&self, id: CategoryId) -> Vec<String> {
        let line = self.line(id);
        line.iter().rev().filter_map(|id| self.nodes.get(id)).map(|n| n.title.clone()).collect()
    }

    /// The category and all below it.
    pub fn below(&self, id: CategoryId) -> HashSet<CategoryId> {
        let mut found = HashSet::from([id]);
        let mut ahead = vec![id];
        while let Some(id) = ahead.pop() {
            for child in self.children(id) {
                if found.insert(child.id) {
                    ahead.push(child.id);
                }
            }
        }
        found
    }

    /// Products on sale that are in no category.
    pub fn loose(&self) -> u32 {
        self.loose
    }
}
